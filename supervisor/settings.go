package supervisor

import (
	"cmp"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/engine"
)

// withDefaults fills in what is zero.
func withDefaults(s engine.Settings) engine.Settings {
	d := engine.DefaultSettings()
	return engine.Settings{
		Grace: cmp.Or(s.Grace, d.Grace), Resync: cmp.Or(s.Resync, d.Resync), Ping: cmp.Or(s.Ping, d.Ping),
		Answer: cmp.Or(s.Answer, d.Answer), Slow: cmp.Or(s.Slow, d.Slow), Pool: cmp.Or(s.Pool, d.Pool),
	}
}
