package main

import (
	"log/slog"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/controller"
)

type hubRunCmd struct {
	hubFlags
}

// Run implements the command. In a pod without a kubeconfig, the flags select the cluster of
// the pod. A signal ends the controller.
func (c *hubRunCmd) Run(s *session) error {
	hub, err := c.connect(s.ctx, s)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(s.err, nil))
	libraries := slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn})
	klog.SetSlogLogger(slog.New(libraries))
	log.SetLogger(logr.FromSlogHandler(libraries))
	return controller.Run(s.ctx, controller.Config{REST: hub.config, Logger: logger})
}
