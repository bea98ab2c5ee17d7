package main

import (
	"slices"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

func TestPruneFlagsSelect(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	usual := []string{"container", "network", "image"}
	for name, test := range map[string]struct {
		flags pruneCmd
		kinds []containersv1.PruneKind
		until time.Time
		fails bool
	}{
		"Usual":        {flags: pruneCmd{Kinds: usual}, kinds: []containersv1.PruneKind{"Container", "Network", "Image"}},
		"Volumes":      {flags: pruneCmd{Kinds: usual, Volumes: true}, kinds: []containersv1.PruneKind{"Container", "Network", "Image", "Volume"}},
		"VolumesTwice": {flags: pruneCmd{Kinds: []string{"volume", "volume"}, Volumes: true}, kinds: []containersv1.PruneKind{"Volume"}},
		"BuildCache":   {flags: pruneCmd{Kinds: []string{"image", "buildcache"}}, kinds: []containersv1.PruneKind{"Image", "BuildCache"}},
		"Age":          {flags: pruneCmd{Kinds: usual[:1], Until: "24h"}, kinds: []containersv1.PruneKind{"Container"}, until: now.Add(-24 * time.Hour)},
		"Time": {
			flags: pruneCmd{Kinds: usual[:1], Until: "2026-01-01T00:00:00Z"}, kinds: []containersv1.PruneKind{"Container"},
			until: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		},
		"NoTime":      {flags: pruneCmd{Kinds: usual, Until: "tomorrow"}, fails: true},
		"NegativeAge": {flags: pruneCmd{Kinds: usual, Until: "-24h"}, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			spec, err := test.flags.spec(now)
			if (err != nil) != test.fails {
				t.Fatalf("%v", err)
			}
			if err != nil {
				return
			}
			if !slices.Equal(spec.Kinds, test.kinds) || (spec.Until == nil) != test.until.IsZero() || spec.Until != nil && !spec.Until.Time.Equal(test.until) {
				t.Errorf("%+v", spec)
			}
		})
	}
}
