package dockercontext

import (
	"fmt"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// Name returns the name of an instance's docker context, and of its context in a
// kubeconfig: rdd for the default instance, rdd-NAME for others.
func Name(inst instance.Instance) string {
	if inst.Name == instance.DefaultName {
		return "rdd"
	}
	return "rdd-" + inst.Name
}

// Context is a docker context.
type Context struct {
	Name string
	// Host is the address of its engine; empty for a context without a Docker engine.
	Host string
	// dir and host are what rdd recorded when it wrote the context: the directory of the
	// instance, and the address.
	dir, host string
}

// BelongsTo reports whether rdd wrote a context for this instance, and no other program
// has changed its address since. A context that names the socket of the instance
// belongs to it, even if another program wrote it.
func (c Context) BelongsTo(inst instance.Instance) bool {
	return SameHost(c.Host, Socket(inst)) || c.host != "" && c.dir == inst.Dir && c.host == c.Host
}

// Socket returns the address of the instance's own engine.
func Socket(inst instance.Instance) string { return "unix://" + inst.DockerSocket }

// contextFor returns the context of an instance, for the engine at host.
func contextFor(inst instance.Instance, host string) Context {
	return Context{Name: Name(inst), Host: host, dir: inst.Dir, host: host}
}

// ForeignError reports that a context with the name of an instance's context is not
// rdd's.
type ForeignError struct{ Name, Host string }

func (e *ForeignError) Error() string {
	return fmt.Sprintf("another program owns the docker context %q, whose endpoint is %q: remove the context with 'docker context rm -f %[1]s' and run 'rdd context use', or use 'rdd env'", e.Name, e.Host)
}
