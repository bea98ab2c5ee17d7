package invariant

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Compare returns every difference between an engine and the mirrors of all kinds,
// sorted. now is on the clock of the API server.
func Compare(engine Picture, mirrors []containersv1.Mirror, now time.Time) ([]Difference, error) {
	found := slices.Clone(engine.Unread)
	byName := map[identity]containersv1.Mirror{}
	owners := map[identity]int{}
	for _, m := range mirrors {
		byName[resourceKey(m.MirrorKind(), m.GetName())] = m
		owners[identityOf(m)]++
	}
	unread := map[string]bool{}
	for _, d := range engine.Unread {
		unread[d.Name] = true
	}
	wanted := map[identity]bool{}
	for _, object := range engine.Objects {
		key := resourceKey(object.identity.kind, object.identity.name())
		wanted[key] = true
		m := byName[key]
		if m == nil {
			found = append(found, Difference{Problem: Missing, Kind: key.kind, Name: key.id, Object: object.label})
			continue
		}
		differing, err := compareFields(object, m)
		if err != nil {
			return nil, err
		}
		found = append(found, differing...)
	}
	for _, m := range mirrors {
		// A mirror of an unread object may be right or wrong.
		if id := identityOf(m); !unread[id.id] {
			found = append(found, misplaced(m, wanted[resourceKey(m.MirrorKind(), m.GetName())], owners[id] > 1)...)
		}
		found = append(found, promises(m, wanted[resourceKey(m.MirrorKind(), m.GetName())], now)...)
	}
	slices.SortFunc(found, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Problem, b.Problem), cmp.Compare(a.Field, b.Field))
	})
	return found, nil
}

// resourceKey identifies a resource by its own name, not by its status.
func resourceKey(kind containersv1.Kind, name string) identity { return identity{kind, name, ""} }

// compareFields compares every field that either side has.
func compareFields(object Object, m containersv1.Mirror) ([]Difference, error) {
	have, err := fieldsOf(m)
	if err != nil {
		return nil, fmt.Errorf("compare %s %s: %w", m.MirrorKind(), m.GetName(), err)
	}
	paths := maps.Clone(object.fields)
	maps.Copy(paths, have)
	var found []Difference
	for path := range paths {
		if object.fields[path] != have[path] && !object.volatile[path] {
			found = append(found, Difference{
				Problem: Differs, Kind: m.MirrorKind(), Name: m.GetName(), Object: object.label,
				Field: path, Engine: object.fields[path], Mirror: have[path],
			})
		}
	}
	return found, nil
}

// misplaced finds mirrors that should not exist, or that have a wrong name.
func misplaced(m containersv1.Mirror, wanted, shared bool) []Difference {
	d := Difference{Kind: m.MirrorKind(), Name: m.GetName(), Object: m.DisplayName()}
	var found []Difference
	if name := identityOf(m).name(); name != m.GetName() {
		wrong := d
		wrong.Problem, wrong.Engine, wrong.Mirror = WrongName, name, m.GetName()
		found = append(found, wrong)
		if shared {
			d.Problem = Duplicate
			found = append(found, d)
		}
	}
	if !wanted && !heldByOthers(m) {
		d.Problem = Ghost
		found = append(found, d)
	}
	return found
}
