package hubtest

import (
	"context"
	"testing"

	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

// Admin returns a client of an administrator.
func (h *Hub) Admin() kube.Client {
	h.tb.Helper()
	c, err := install.Connect(h.tb.Context(), h.AdminConfig())
	h.check(err)
	return c
}

// Installed returns the hub with the objects of 'rdd hub install', and a client of an
// administrator. The objects are applied before the first test that needs them, and prepare
// is called once after that, if it is not nil.
func (s *Shared) Installed(tb testing.TB, prepare func(context.Context, kube.Client) error) (*Hub, kube.Client) {
	tb.Helper()
	h := s.Hub(tb)
	admin := h.Admin()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isInstalled {
		return h, admin
	}
	h.check(install.Apply(tb.Context(), admin, func(string) {}))
	if prepare != nil {
		h.check(prepare(tb.Context(), admin))
	}
	s.isInstalled = true
	return h, admin
}
