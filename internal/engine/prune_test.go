package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

const day = 24 * time.Hour

var (
	longAgo  = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	allKinds = []containersv1.Kind{containersv1.KindContainer, containersv1.KindImage, containersv1.KindVolume, containersv1.KindNetwork}
)

func object(name string, labels ...string) engine.PruneObject {
	o := engine.PruneObject{ID: name, Name: name, Created: longAgo, Labels: map[string]string{}}
	for _, label := range labels {
		key, value, _ := strings.Cut(label, "=")
		o.Labels[key] = value
	}
	return o
}

// house has one object for each rule.
func house() engine.Inventory {
	anonymous := strings.Repeat("ab", 32)
	kept := object("bridge")
	kept.Kept = true
	young := object("young")
	young.Created = longAgo.Add(2 * day)
	return engine.Inventory{
		Containers: []engine.PruneContainer{
			{PruneObject: object("runs"), Active: true, ImageID: "i-run", Volumes: []string{"v-run"}, Networks: []string{"n-run"}},
			{PruneObject: object("ended", "app=web"), ImageID: "i-ended", Volumes: []string{"v-ended"}, Networks: []string{"n-ended"}},
		},
		Images: []engine.PruneImage{
			{PruneObject: object("i-run"), Tags: []string{"run:1"}}, {PruneObject: object("i-ended"), Tags: []string{"ended:1"}},
			{PruneObject: object("i-free"), Tags: []string{"free:2", "free:1"}}, {PruneObject: object("i-none", "app=web")},
		},
		Volumes: []engine.PruneObject{
			object("v-run"), object("v-ended"), object("v-free"), object(anonymous), object("v-marked", "com.docker.volume.anonymous="),
		},
		Networks: []engine.PruneObject{object("n-run"), object("n-ended"), object("n-free", "app=db"), kept, young},
	}
}

func TestPlanFollowsRules(t *testing.T) {
	anonymous := strings.Repeat("ab", 32)
	filter := func(texts ...string) (out []engine.LabelFilter) {
		for _, text := range texts {
			f, err := engine.ParseLabelFilter(text)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, f)
		}
		return out
	}
	for name, c := range map[string]struct {
		options engine.PruneOptions
		want    []string
	}{
		"Nothing":    {options: engine.PruneOptions{}},
		"Containers": {engine.PruneOptions{Kinds: allKinds[:1]}, []string{"ended"}},
		"UntaggedImages": {
			engine.PruneOptions{Kinds: allKinds[1:2]}, []string{"i-none"},
		},
		"ContainerThatStaysKeepsItsImage": {
			engine.PruneOptions{Kinds: allKinds[1:2], All: true}, []string{"free:1", "free:2", "i-none"},
		},
		"AnonymousVolumes": {engine.PruneOptions{Kinds: allKinds[2:3]}, []string{anonymous, "v-marked"}},
		"NamedVolumes": {
			engine.PruneOptions{Kinds: allKinds[2:3], All: true}, []string{anonymous, "v-free", "v-marked"},
		},
		"Networks": {engine.PruneOptions{Kinds: allKinds[3:]}, []string{"n-free", "young"}},
		"Until":    {engine.PruneOptions{Kinds: allKinds[3:], Until: longAgo.Add(day)}, []string{"n-free"}},
		"WhatPrunedContainersUsedGoesToo": {
			engine.PruneOptions{Kinds: allKinds, All: true},
			[]string{
				"ended", "n-ended", "n-free", "young", anonymous, "v-ended", "v-free", "v-marked",
				"ended:1", "free:1", "free:2", "i-none",
			},
		},
		"LabelValue":   {engine.PruneOptions{Kinds: allKinds, All: true, Labels: filter("app=web")}, []string{"ended", "i-none"}},
		"LabelKey":     {engine.PruneOptions{Kinds: allKinds, All: true, Labels: filter("app")}, []string{"ended", "n-free", "i-none"}},
		"NoLabel":      {engine.PruneOptions{Kinds: allKinds[3:], Labels: filter("!app")}, []string{"n-ended", "young"}[1:]},
		"NoLabelValue": {engine.PruneOptions{Kinds: allKinds[3:], Labels: filter("app!=web")}, []string{"n-free", "young"}},
		"BothLabels":   {engine.PruneOptions{Kinds: allKinds, Labels: filter("app", "app!=web")}, []string{"n-free"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range engine.Plan(house(), c.options) {
				got = append(got, p.Name)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// The build cache goes in the order in which its records can be removed.
func TestPlanOfBuildCache(t *testing.T) {
	at := func(days int, name string, change func(*engine.PruneCache)) engine.PruneCache {
		c := engine.PruneCache{PruneObject: object(name)}
		c.Created = longAgo.Add(time.Duration(days) * day)
		if change != nil {
			change(&c)
		}
		return c
	}
	have := engine.Inventory{BuildCache: []engine.PruneCache{
		at(0, "base", nil), at(2, "step", nil), at(3, "in use", func(c *engine.PruneCache) { c.Kept = true }),
		at(1, "shared", func(c *engine.PruneCache) { c.Internal = true }), at(1, "no step", func(c *engine.PruneCache) { c.Name = "" }),
	}}
	have.BuildCache[4].ID = "id"
	cache := []containersv1.Kind{engine.KindBuildCache}
	for name, c := range map[string]struct {
		options engine.PruneOptions
		want    []string
	}{
		"Unused":     {engine.PruneOptions{Kinds: cache}, []string{"step", "id", "base"}},
		"All":        {engine.PruneOptions{Kinds: cache, All: true}, []string{"step", "shared", "id", "base"}},
		"Until":      {engine.PruneOptions{Kinds: cache, All: true, Until: longAgo}, []string{"base"}},
		"Label":      {engine.PruneOptions{Kinds: cache, Labels: []engine.LabelFilter{{Key: "a"}}}, nil},
		"OtherKinds": {engine.PruneOptions{Kinds: allKinds, All: true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range engine.Plan(have, c.options) {
				got = append(got, p.Name)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// An image has one line for each tag, and its bytes once.
func TestPlanCountsBytesOnce(t *testing.T) {
	have := engine.Inventory{Images: []engine.PruneImage{{PruneObject: engine.PruneObject{ID: "i", Bytes: 7}, Tags: []string{"a:1", "b:1"}}}}
	var bytes int64
	plan := engine.Plan(have, engine.PruneOptions{Kinds: allKinds, All: true})
	for _, p := range plan {
		bytes += p.Bytes
	}
	if len(plan) != 2 || bytes != 7 || plan[0].Key.Tag != "a:1" {
		t.Errorf("%+v", plan)
	}
}

// An object whose age is unknown may be new.
func TestPlanKeepsObjectsOfUnknownAge(t *testing.T) {
	have := engine.Inventory{Networks: []engine.PruneObject{{ID: "n", Name: "n"}}}
	if plan := engine.Plan(have, engine.PruneOptions{Kinds: allKinds, Until: longAgo}); len(plan) > 0 {
		t.Errorf("%+v", plan)
	}
}

func TestParseLabelFilterRejectsNoKey(t *testing.T) {
	for _, text := range []string{"", "!", "=x", "!=x"} {
		if f, err := engine.ParseLabelFilter(text); err == nil {
			t.Errorf("%q: %+v", text, f)
		}
	}
}

func TestRemovePlannedLeavesOutWhatStays(t *testing.T) {
	plan := []engine.Pruned{{Name: "parent"}, {Name: "gone"}, {Name: "child"}, {Name: "used"}, {Name: "odd"}}
	for i := range plan {
		plan[i].Key.ID = plan[i].Name
	}
	removed := map[string]bool{}
	remove := func(_ context.Context, key engine.Key) error {
		switch {
		case key.ID == "gone":
			return errdefs.ErrNotFound
		case key.ID == "used", key.ID == "parent" && !removed["child"]:
			return errdefs.ErrConflict
		case key.ID == "odd":
			return errors.New("disk error")
		}
		removed[key.ID] = true
		return nil
	}
	var reported []string
	done, err := engine.RemovePlanned(t.Context(), plan, remove, func(p engine.Pruned) { reported = append(reported, p.Name) })
	if want := []string{"child", "parent"}; !slices.Equal(reported, want) || len(done) != 2 {
		t.Errorf("%q, want %q", reported, want)
	}
	if err == nil || !strings.Contains(err.Error(), "odd: disk error") {
		t.Errorf("%v", err)
	}
}

func TestRemovePlannedStops(t *testing.T) {
	plan := []engine.Pruned{{Name: "a"}, {Name: "b"}}
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	done, err := engine.RemovePlanned(ctx, plan, func(context.Context, engine.Key) error { calls++; cancel(); return nil }, func(engine.Pruned) {})
	if len(done) != 1 || calls != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, %v", done, err)
	}
	done, err = engine.RemovePlanned(t.Context(), plan, func(context.Context, engine.Key) error { calls++; return engine.ErrUnreachable }, func(engine.Pruned) {})
	if len(done) != 0 || calls != 2 || !engine.IsUnreachable(err) {
		t.Errorf("unreachable: %v, %v", done, err)
	}
}

func TestCredentialsAreNotPrinted(t *testing.T) {
	c := engine.Credentials{Server: "r.test", Username: "u", Password: "s3cret", IdentityToken: "s3cret"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(format, c); strings.Contains(text, "s3cret") {
			t.Errorf("%s: %s", format, text)
		}
	}
	if text := c.LogValue().String(); strings.Contains(text, "s3cret") {
		t.Error(text)
	}
}
