package hubtest

import (
	"context"
	"os"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// Hub is a hub for one test, which each method fails on an error. Methods that start or
// end programs must not be called concurrently.
type Hub struct {
	tb      testing.TB
	cluster *Cluster
}

// Start starts a hub that ends with the test. It returns when the hub is ready.
func Start(tb testing.TB, opts ...Option) *Hub {
	tb.Helper()
	programs := Require(tb)
	dir := temporaryDir(tb)
	cluster, err := Launch(context.Background(), programs, dir, opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(cluster.Close)
	return newHub(tb, cluster)
}

func temporaryDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "hub")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := filetree.Remove(dir); err != nil {
			tb.Errorf("remove the files of the hub: %v", err)
		}
	})
	return dir
}

// newHub shows the logs if the test fails.
func newHub(tb testing.TB, cluster *Cluster) *Hub {
	tb.Helper()
	tb.Cleanup(func() {
		if !tb.Failed() {
			return
		}
		for log, tail := range cluster.logs() {
			tb.Logf("the end of %s:\n%s", log, tail)
		}
	})
	return &Hub{tb: tb, cluster: cluster}
}

// AdminConfig returns a configuration of an administrator, without a rate limit.
func (h *Hub) AdminConfig() *rest.Config { return h.cluster.AdminConfig() }

// AnonymousConfig returns a configuration without credentials. A test that has a token
// sets it there.
func (h *Hub) AnonymousConfig() *rest.Config { return h.cluster.AnonymousConfig() }

// UserConfig returns a configuration of a user, who has no rights before a role is bound
// to the user or one of the groups.
func (h *Hub) UserConfig(user string, groups ...string) *rest.Config {
	h.tb.Helper()
	config, err := h.cluster.UserConfig(user, groups...)
	h.check(err)
	return config
}

// Kubeconfig returns the path of an administrator's kubeconfig.
func (h *Hub) Kubeconfig() string { return h.cluster.Kubeconfig() }

// StopAPIServer kills the API server. Clients are refused until StartAPIServer.
func (h *Hub) StopAPIServer() { h.cluster.StopAPIServer() }

// Kill kills all programs at once. StartAPIServer starts them again.
func (h *Hub) Kill() { h.cluster.Kill() }

// StartAPIServer starts the API server, and what else does not run, at the same port and
// with the same data. It returns when the hub is ready.
func (h *Hub) StartAPIServer() {
	h.tb.Helper()
	h.check(h.cluster.Up(context.Background()))
}

// Backup copies the data of the hub, and returns the directory of the copy, which lasts
// as long as the hub. Requests may fail meanwhile.
func (h *Hub) Backup() (dir string) {
	h.tb.Helper()
	dir, err := h.cluster.Backup(context.Background())
	h.check(err)
	return dir
}

// Restore replaces the data by a backup and restarts all programs. Resource versions
// return to those of the backup. An empty directory makes the hub a new cluster at the
// same address.
func (h *Hub) Restore(dir string) {
	h.tb.Helper()
	h.check(h.cluster.Restore(context.Background(), dir))
}

// AuditEvents returns the requests since the start of the hub, also of other tests that
// share it. A request may be logged after its client has the answer.
func (h *Hub) AuditEvents() []AuditEvent {
	h.tb.Helper()
	events, err := h.cluster.AuditEvents()
	h.check(err)
	return events
}

// Link returns a link to the hub that ends with the test.
func (h *Hub) Link() *Link {
	h.tb.Helper()
	link, err := h.cluster.NewLink()
	h.check(err)
	h.tb.Cleanup(link.Close)
	return link
}

func (h *Hub) check(err error) {
	h.tb.Helper()
	if err != nil {
		h.tb.Fatal(err)
	}
}
