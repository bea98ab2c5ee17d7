package dockersim

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

type wireBinding struct {
	HostIP   string `json:"HostIp"`
	HostPort string `json:"HostPort"`
}

type wirePorts map[string][]wireBinding

// wireCreate is what a client sends to create a container.
type wireCreate struct {
	Image        string
	Cmd          []string
	Entrypoint   []string
	Tty          bool
	OpenStdin    bool
	Labels       map[string]string
	ExposedPorts map[string]struct{}
	Volumes      map[string]struct{}
	Hostname     string
	User         string
	WorkingDir   string
	Healthcheck  *struct{ Retries int }
	HostConfig   struct {
		Binds         []string
		Tmpfs         map[string]string
		AutoRemove    bool
		PortBindings  wirePorts
		NetworkMode   string
		RestartPolicy wireRestartPolicy
		Mounts        []struct {
			Type, Source, Target string
			ReadOnly             bool
		}
	}
}

func (e *Engine) serveContainerCreate(w http.ResponseWriter, r request) error {
	var wire wireCreate
	if err := readJSON(r, &wire); err != nil {
		return err
	}
	spec := ContainerSpec{
		Name:       r.URL.Query().Get("name"),
		Image:      wire.Image,
		Command:    append(slices.Clone(wire.Entrypoint), wire.Cmd...),
		Labels:     wire.Labels,
		Exposed:    slices.Sorted(maps.Keys(wire.ExposedPorts)),
		AutoRemove: wire.HostConfig.AutoRemove,
		Hostname:   wire.Hostname, User: wire.User, WorkingDir: wire.WorkingDir,
		RestartPolicy: containersv1.RestartPolicy(wire.HostConfig.RestartPolicy),
		TTY:           wire.Tty,
		OpenStdin:     wire.OpenStdin,
	}
	spec.Runs = memory.IsRunnable(spec.Command)
	wire.addHealthCheck(&spec)
	wire.addMounts(&spec)
	for range wire.Volumes {
		spec.Volumes = append(spec.Volumes, "")
	}
	for port, bindings := range wire.HostConfig.PortBindings {
		for _, b := range bindings {
			spec.Published = append(spec.Published, PortBinding{Port: port, HostIP: b.HostIP, HostPort: b.HostPort})
		}
	}
	switch mode := wire.HostConfig.NetworkMode; {
	case strings.HasPrefix(mode, "container:"):
		spec.NoNetwork = true
	case mode != "default":
		spec.Network = mode
	}
	id, err := e.CreateContainer(spec)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, map[string]any{"Id": id, "Warnings": []string{}})
	return nil
}

// addHealthCheck gives a container a health check, if it has one.
func (wire *wireCreate) addHealthCheck(spec *ContainerSpec) {
	if wire.Healthcheck != nil {
		const defaultRetries = 3
		spec.HealthRetries = cmp.Or(wire.Healthcheck.Retries, defaultRetries)
	}
}

// addMounts adds the volumes, binds and temporary file systems of a container.
func (wire *wireCreate) addMounts(spec *ContainerSpec) {
	spec.Destinations = map[string]string{}
	for _, bind := range wire.HostConfig.Binds {
		source, rest, _ := strings.Cut(bind, ":")
		destination, mode, _ := strings.Cut(rest, ":")
		if !strings.HasPrefix(source, "/") {
			spec.Volumes = append(spec.Volumes, source)
			spec.Destinations[source] = destination
			continue
		}
		spec.Mounts = append(spec.Mounts, containersv1.ContainerMount{
			Type: "bind", Source: source, Destination: destination, ReadOnly: mode == "ro",
		})
	}
	for _, m := range wire.HostConfig.Mounts {
		if m.Type == "volume" {
			spec.Volumes = append(spec.Volumes, m.Source)
			spec.Destinations[m.Source] = m.Target
			continue
		}
		spec.Mounts = append(spec.Mounts, containersv1.ContainerMount{Type: m.Type, Source: m.Source, Destination: m.Target, ReadOnly: m.ReadOnly})
	}
	for destination := range wire.HostConfig.Tmpfs {
		spec.Mounts = append(spec.Mounts, containersv1.ContainerMount{Type: "tmpfs", Destination: destination})
	}
}

func (e *Engine) serveContainerList(w http.ResponseWriter, r request) error {
	all, ancestor := r.flag("all"), r.filter("ancestor")
	chosen := slices.DeleteFunc(e.Containers(), func(c memory.Container) bool {
		return !all && !c.Running || len(ancestor) > 0 && !ancestor[c.ImageID] || !r.hasLabel(c.Labels)
	})
	// The youngest comes first.
	slices.SortStableFunc(chosen, func(a, b memory.Container) int { return b.Created.Compare(a.Created) })
	list := make([]map[string]any, 0, len(chosen))
	for _, c := range chosen {
		list = append(list, map[string]any{
			"Id": c.ID, "Names": []string{"/" + c.Name}, "Image": c.Spec.Image, "ImageID": c.ImageID,
			"Command": strings.Join(c.Spec.Command, " "), "Created": c.Created.Unix(),
			"Labels": c.Labels, "State": c.Status(), "Status": c.Status(),
			"Ports": []string{}, "Mounts": wireMounts(c),
			"HostConfig":      map[string]string{"NetworkMode": "default"},
			"NetworkSettings": map[string]any{"Networks": wireNetworks(c)},
		})
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

// wireNetworks are the networks of a container in a list.
func wireNetworks(c memory.Container) map[string]any {
	networks := map[string]any{}
	for _, id := range c.NetworkIDs() {
		networks[id] = map[string]string{"NetworkID": id}
	}
	return networks
}

func (e *Engine) serveContainerInspect(w http.ResponseWriter, r request) error {
	c, err := e.Container(r.name)
	if err != nil {
		return err
	}
	exposed, requested := make(map[string]struct{}), make(wirePorts)
	for _, port := range c.Spec.Exposed {
		exposed[port] = struct{}{}
	}
	for _, p := range c.Spec.Published {
		exposed[p.Port] = struct{}{}
		requested[p.Port] = append(requested[p.Port], wireBinding{p.HostIP, p.HostPort})
	}
	live := make(wirePorts)
	for port, bindings := range c.LivePorts() {
		live[port] = nil
		for _, b := range bindings {
			live[port] = append(live[port], wireBinding{b.HostIP, b.HostPort})
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"Id": c.ID, "Name": "/" + c.Name, "Created": c.Created.Format(time.RFC3339Nano),
		"Path": c.Spec.Command[0], "Args": c.Spec.Command[1:], "Image": c.ImageID,
		"Driver": "overlay2", "Platform": "linux", "RestartCount": c.RestartCount,
		"State": map[string]any{
			"Health": wireHealth(c.Health),
			"Status": c.Status(), "Running": c.Running, "Paused": c.Paused,
			"Restarting": c.Restarting, "OOMKilled": false, "Dead": c.Dead,
			"Pid": c.PID, "ExitCode": c.ExitCode, "Error": c.Error,
			"StartedAt": wireTime(c.Started), "FinishedAt": wireTime(c.Finished),
		},
		"Config": map[string]any{
			"Hostname": c.Spec.Hostname, "User": c.Spec.User, "WorkingDir": c.Spec.WorkingDir,
			"Image": c.Spec.Image, "Cmd": c.Spec.Command, "Labels": c.Labels, "ExposedPorts": exposed,
			"Env": []string{"SECRET=in-the-environment"}, "Healthcheck": map[string]any{"Retries": c.Spec.HealthRetries},
			"Tty": c.Spec.TTY, "OpenStdin": c.Spec.OpenStdin,
		},
		"HostConfig": map[string]any{
			"PortBindings": requested, "AutoRemove": c.Spec.AutoRemove,
			"RestartPolicy": wireRestartPolicy(c.Spec.RestartPolicy), "Tmpfs": wireTmpfs(c),
		},
		"NetworkSettings": map[string]any{"Ports": live, "Networks": wireEndpoints(c.Networks)},
		"Mounts":          wireMounts(c),
	})
	return nil
}

// wireTime is dockerd's way to write a time; never is the year 1.
func wireTime(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
