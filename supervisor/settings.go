package supervisor

import (
	"cmp"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/engine"
)

// withDefaults replaces zero by the defaults.
func withDefaults(s engine.Settings) engine.Settings {
	d := engine.DefaultSettings()
	return engine.Settings{Grace: cmp.Or(s.Grace, d.Grace), Slow: cmp.Or(s.Slow, d.Slow)}
}
