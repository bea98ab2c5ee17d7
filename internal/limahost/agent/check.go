package agent

import (
	"log/slog"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/lima"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/provision"
)

// Check returns an error if a VM cannot be made or started from cfg because of an
// incomplete image, too little space for a new disk, or an error in a user's lima.yaml.
// It changes nothing, and may run while a host agent runs.
func Check(cfg limahost.Config) error {
	runtime, err := lima.Configure(cfg.LimaHome, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	p := provision.Provisioner{Spec: cfg.Spec, Paths: limahost.Paths{LimaHome: cfg.LimaHome}, Lima: runtime}
	return p.Check()
}
