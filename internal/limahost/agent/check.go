package agent

import (
	"log/slog"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// Check says whether a VM could be made or started from cfg, as far as that can
// be said without doing it: whether the image is whole, whether there is space
// for a new disk, and what is wrong with a user's lima.yaml. It touches nothing, and may be called while a host agent
// lives, by another process.
func Check(cfg limahost.Config) error {
	log := slog.New(slog.DiscardHandler)
	lima, err := surround(cfg.LimaHome, log)
	if err != nil {
		return err
	}
	a := &agent{cfg: cfg, paths: limahost.Paths{LimaHome: cfg.LimaHome}, lima: lima, log: log}
	return lima.call(a.check)
}

func (a *agent) check() error {
	pl, err := a.makePlan()
	if err != nil {
		return err
	}
	return a.checkSpace(pl)
}
