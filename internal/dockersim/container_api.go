package dockersim

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
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
	Labels       map[string]string
	ExposedPorts map[string]struct{}
	Volumes      map[string]struct{}
	HostConfig   struct {
		Binds        []string
		AutoRemove   bool
		PortBindings wirePorts
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
	}
	for _, bind := range wire.HostConfig.Binds {
		if source, _, _ := strings.Cut(bind, ":"); !strings.HasPrefix(source, "/") {
			spec.Volumes = append(spec.Volumes, source)
		}
	}
	for range wire.Volumes {
		spec.Volumes = append(spec.Volumes, "")
	}
	for port, bindings := range wire.HostConfig.PortBindings {
		for _, b := range bindings {
			spec.Published = append(spec.Published, PortBinding{Port: port, HostIP: b.HostIP, HostPort: b.HostPort})
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.createContainer(spec)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, map[string]any{"Id": c.id, "Warnings": []string{}})
	return nil
}

func (e *Engine) serveContainerList(w http.ResponseWriter, r request) error {
	all := r.flag("all")
	e.mu.Lock()
	chosen := make([]*container, 0, len(e.containers))
	for _, c := range e.containers {
		if all || c.running {
			chosen = append(chosen, c)
		}
	}
	// The youngest comes first.
	slices.SortFunc(chosen, func(a, b *container) int {
		if order := b.created.Compare(a.created); order != 0 {
			return order
		}
		return strings.Compare(a.id, b.id)
	})
	list := make([]map[string]any, 0, len(chosen))
	for _, c := range chosen {
		list = append(list, map[string]any{
			"Id": c.id, "Names": []string{"/" + c.name}, "Image": c.spec.Image, "ImageID": c.imageID,
			"Command": strings.Join(c.spec.Command, " "), "Created": c.created.Unix(),
			"Labels": c.labels, "State": c.status(), "Status": c.status(),
			"Ports": []string{}, "Mounts": []string{},
			"HostConfig": map[string]string{"NetworkMode": "default"},
		})
	}
	e.mu.Unlock()
	writeJSON(w, http.StatusOK, list)
	return nil
}

func (e *Engine) serveContainerInspect(w http.ResponseWriter, r request) error {
	e.mu.Lock()
	c, err := e.findContainer(r.name)
	if err != nil {
		e.mu.Unlock()
		return err
	}
	answer := c.inspect()
	e.mu.Unlock()
	writeJSON(w, http.StatusOK, answer)
	return nil
}

// inspect is the answer to an inspect. It shares nothing that can change.
func (c *container) inspect() map[string]any {
	exposed, asked, live := c.ports()
	return map[string]any{
		"Id": c.id, "Name": "/" + c.name, "Created": c.created.Format(time.RFC3339Nano),
		"Path": c.spec.Command[0], "Args": c.spec.Command[1:], "Image": c.imageID,
		"Driver": "overlay2", "Platform": "linux", "RestartCount": 0,
		"State": map[string]any{
			"Status": c.status(), "Running": c.running, "Paused": c.paused,
			"Restarting": c.restarting, "OOMKilled": c.oomKilled, "Dead": c.dead,
			"Pid": c.pid, "ExitCode": c.exitCode, "Error": c.startError,
			"StartedAt": wireTime(c.started), "FinishedAt": wireTime(c.finished),
		},
		"Config": map[string]any{
			"Hostname": short(c.id), "Image": c.spec.Image, "Cmd": c.spec.Command,
			"Labels": c.labels, "ExposedPorts": exposed,
		},
		"HostConfig":      map[string]any{"PortBindings": asked, "AutoRemove": c.spec.AutoRemove},
		"NetworkSettings": map[string]any{"Ports": live},
		"Mounts":          []string{},
	}
}

// ports returns what is exposed, what was asked to be published, and what is
// while the container runs: every exposed port then has an entry, and one that
// is published answers on IPv4 and IPv6.
func (c *container) ports() (exposed map[string]struct{}, asked, live wirePorts) {
	exposed, asked, live = make(map[string]struct{}), make(wirePorts), make(wirePorts)
	for _, port := range c.spec.Exposed {
		exposed[port] = struct{}{}
	}
	for _, p := range c.spec.Published {
		exposed[p.Port] = struct{}{}
		asked[p.Port] = append(asked[p.Port], wireBinding{p.HostIP, p.HostPort})
	}
	if !c.running || c.restarting || c.disconnected {
		return exposed, asked, live
	}
	for port := range exposed {
		live[port] = nil
		for _, b := range asked[port] {
			if b.HostPort == "" {
				b.HostPort = "49153"
			}
			if b.HostIP == "" {
				live[port] = append(live[port], wireBinding{"0.0.0.0", b.HostPort}, wireBinding{"::", b.HostPort})
				continue
			}
			live[port] = append(live[port], b)
		}
	}
	return exposed, asked, live
}

// wireTime is dockerd's way to write a time; never is the year 1.
func wireTime(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
