package engine

import (
	"errors"
	"strings"
	"testing"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// An object that the first sync could not read is read later. The next sync must not
// report it as mirrored before its mirror has settled.
func TestUnreadObjectStaysUntilItsMirrorSettles(t *testing.T) {
	object := engine.Key{Kind: containersv1.KindImage, ID: "sha256:1"}
	mirror := key{containersv1.KindImage, object.ResourceName()}
	p := newProgress()
	check := func(when string, wantProblem bool) {
		t.Helper()
		if got := p.problems(); strings.Contains(got, "1 object could not be read") != wantProblem {
			t.Errorf("%s: problems %q", when, got)
		}
	}
	p.completed(engine.Synced{Unread: []engine.Key{object}})
	check("unread", true)
	p.completed(engine.Synced{Unread: []engine.Key{object}})
	check("unread again", true)
	p.read(object, mirror)
	p.completed(engine.Synced{})
	check("read, not settled", true)
	p.settled(mirror, nil)
	check("settled", false)

	p.completed(engine.Synced{Unread: []engine.Key{object}})
	check("unread later", true)
	p.completed(engine.Synced{})
	check("gone", false)
}

// A kind that was never listed has no mirrors, so that the sync continues.
func TestUnlistedKindKeepsSyncing(t *testing.T) {
	p := newProgress()
	p.completed(engine.Synced{Unlisted: map[containersv1.Kind]error{containersv1.KindImage: errors.New("no such layer")}})
	if p.isMirrored() || !strings.Contains(p.message(), "refuses to list images") || !strings.Contains(p.message(), "no such layer") {
		t.Errorf("mirrored: %v, %q", p.isMirrored(), p.message())
	}
	p.completed(engine.Synced{})
	if !p.isMirrored() || p.problems() != "" {
		t.Errorf("after a complete sync: mirrored: %v, %q", p.isMirrored(), p.problems())
	}
}
