package docker

import (
	"slices"
	"testing"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

func imagesOf(id string, tags ...string) []containersv1.Mirror {
	if len(tags) == 0 {
		tags = []string{""}
	}
	var out []containersv1.Mirror
	for _, tag := range tags {
		img := &containersv1.Image{}
		img.Name = containersv1.ImageResourceName(id, tag)
		img.Status.ID, img.Status.RepoTag = id, tag
		out = append(out, img)
	}
	return out
}

func TestImageIndex(t *testing.T) {
	name := func(_, tag string) string { return tag }
	type update struct {
		id      string
		mirrors []containersv1.Mirror
	}
	for _, tc := range []struct {
		name     string
		updates  []update
		gone     []string
		lostTags []string
	}{
		{"new image", []update{{"a", imagesOf("a", "x:1")}}, nil, nil},
		{"same again", []update{{"a", imagesOf("a", "x:1")}, {"a", imagesOf("a", "x:1")}}, nil, nil},
		{"one tag less", []update{{"a", imagesOf("a", "x:1", "x:2")}, {"a", imagesOf("a", "x:1")}}, []string{name("a", "x:2")}, nil},
		{"last tag gone: dangling", []update{{"a", imagesOf("a", "x:1")}, {"a", imagesOf("a")}}, []string{name("a", "x:1")}, nil},
		{"tagged again", []update{{"a", imagesOf("a")}, {"a", imagesOf("a", "x:1")}}, []string{name("a", "")}, nil},
		{"deleted", []update{{"a", imagesOf("a", "x:1")}, {"a", nil}}, []string{name("a", "x:1")}, nil},
		{"never seen, deleted", []update{{"a", nil}}, nil, nil},
		{"tag moves: the other is read again", []update{{"a", imagesOf("a", "x:1")}, {"b", imagesOf("b", "x:1")}}, nil, []string{"a"}},
		{"a reference that is gone: its owner is read again", []update{{"a", imagesOf("a", "x:1")}, {"x:1", nil}}, nil, []string{"a"}},
		{"an image that lost its tag takes none back", []update{{"a", imagesOf("a", "x:1")}, {"b", imagesOf("b", "x:1")}, {"a", imagesOf("a")}}, []string{name("a", "x:1")}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := newImageIndex()
			var got imageChange
			for _, u := range tc.updates {
				got = x.update(u.id, u.mirrors, time.Unix(1, 0))
			}
			slices.Sort(got.gone)
			if !slices.Equal(got.gone, tc.gone) || !slices.Equal(got.lostTags, tc.lostTags) {
				t.Errorf("change = %+v, want gone %v, lostTags %v", got, tc.gone, tc.lostTags)
			}
		})
	}
}

func TestImageIndexPrune(t *testing.T) {
	x := newImageIndex()
	x.update("old", imagesOf("old", "x:1"), time.Unix(1, 0))
	x.update("unread", imagesOf("unread", "x:2"), time.Unix(1, 0))
	x.update("new", imagesOf("new", "x:3"), time.Unix(3, 0))
	x.prune(time.Unix(2, 0), func(key engine.Key) bool { return key.ID == "unread" })
	if len(x.byID) != 2 || x.byID["old"] != nil || len(x.byTag) != 2 {
		t.Errorf("index after prune: %v, %v", x.byID, x.byTag)
	}
}

func TestOnlyInspectedImagesAreFresh(t *testing.T) {
	x := newImageIndex()
	at := func(minutes int) time.Time { return time.Unix(0, 0).Add(time.Duration(minutes) * time.Minute) }
	x.update("listed", imagesOf("listed", "x:1"), at(1))
	x.update("inspected", imagesOf("inspected", "x:2"), at(1))
	x.inspected("inspected", at(1))
	x.update("inspected", imagesOf("inspected", "x:2"), at(30)) // from a list again
	if known := x.freshImages(at(0)); len(known) != 1 || len(known["inspected"]) != 1 {
		t.Errorf("fresh: %v", known)
	}
	if known := x.freshImages(at(20)); len(known) != 0 {
		t.Errorf("fresh forever, because it was listed meanwhile: %v", known)
	}
}

func TestLateReadingIsStale(t *testing.T) {
	x := newImageIndex()
	x.update("a", imagesOf("a", "x:1", "x:2"), time.Unix(2, 0))
	if change := x.update("a", imagesOf("a", "x:1"), time.Unix(1, 0)); !change.stale || len(x.byID["a"].images) != 2 {
		t.Errorf("an older reading brought %+v", change)
	}
}
