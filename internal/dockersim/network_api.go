package dockersim

import (
	"net/http"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

// serveNetworkList serves what dockerd lists: everything but the containers.
func (e *Engine) serveNetworkList(w http.ResponseWriter, r request) error {
	list := []map[string]any{}
	for _, n := range e.Networks() {
		if !r.hasLabel(n.Labels) {
			continue
		}
		wire := wireNetwork(n)
		wire["Containers"] = map[string]any{}
		list = append(list, wire)
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

func (e *Engine) serveNetworkInspect(w http.ResponseWriter, r request) error {
	n, err := e.Network(r.name)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, wireNetwork(n))
	return nil
}

func (e *Engine) serveNetworkCreate(w http.ResponseWriter, r request) error {
	var wire struct {
		Name, Driver         string
		Internal, Attachable bool
		Labels, Options      map[string]string
		IPAM                 struct{ Config []struct{ Subnet string } }
	}
	if err := readJSON(r, &wire); err != nil {
		return err
	}
	spec := memory.NetworkSpec{
		Name: wire.Name, Driver: wire.Driver, Internal: wire.Internal, Attachable: wire.Attachable,
		Labels: wire.Labels, Options: wire.Options,
	}
	for _, config := range wire.IPAM.Config {
		spec.Subnet = config.Subnet
	}
	n, err := e.CreateNetwork(spec)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, map[string]any{"Id": n.ID, "Warning": ""})
	return nil
}

func (e *Engine) serveNetworkRemove(w http.ResponseWriter, r request) error {
	return answer(w, e.RemoveNetwork(r.name))
}

func (e *Engine) serveNetworkPrune(w http.ResponseWriter, _ request) error {
	e.PruneNetworks()
	writeJSON(w, http.StatusOK, map[string]any{"NetworksDeleted": nil})
	return nil
}

func (e *Engine) serveNetworkConnect(w http.ResponseWriter, r request) error {
	return e.connect(w, r, true)
}

func (e *Engine) serveNetworkDisconnect(w http.ResponseWriter, r request) error {
	return e.connect(w, r, false)
}

func (e *Engine) connect(w http.ResponseWriter, r request, connect bool) error {
	var wire struct{ Container string }
	if err := readJSON(r, &wire); err != nil {
		return err
	}
	if err := e.ConnectContainer(r.name, wire.Container, connect); err != nil {
		return err
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func wireNetwork(n memory.Network) map[string]any {
	containers := map[string]any{}
	for _, id := range n.Attached {
		containers[id] = map[string]any{"EndpointID": id}
	}
	configs := []map[string]any{}
	if n.Subnet != "" {
		configs = append(configs, map[string]any{"Subnet": n.Subnet, "Gateway": n.Gateway()})
	}
	return map[string]any{
		"Name": n.Name, "Id": n.ID, "Created": n.Created.Format(time.RFC3339Nano), "Scope": "local", "Driver": n.Driver,
		"EnableIPv6": false, "IPAM": map[string]any{"Driver": "default", "Options": nil, "Config": configs},
		"Internal": n.Internal, "Attachable": n.Attachable, "Ingress": false, "ConfigOnly": false,
		"Containers": containers, "Options": n.Options, "Labels": n.Labels,
	}
}
