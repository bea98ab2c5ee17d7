package registry_test

import (
	"maps"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// labeled returns a mirror whose object in the engine has these labels.
func labeled(kind containersv1.Kind, labels map[string]string) containersv1.Mirror {
	obj := sample(kind, home, "one")
	switch m := obj.(type) {
	case *containersv1.Container:
		m.Status.Labels = labels
	case *containersv1.Image:
		m.Status.Labels = labels
	case *containersv1.Volume:
		m.Status.Labels = labels
	case *containersv1.Network:
		m.Status.Labels = labels
	}
	return obj
}

// relabel writes a status with other labels.
func (p plane) relabel(t *testing.T, labels map[string]string) containersv1.Mirror {
	t.Helper()
	stored := p.read(t, sample(containersv1.KindVolume, home, "one"))
	stored.SetStatusFrom(labeled(containersv1.KindVolume, labels))
	return must(p.mirrors.UpdateStatus(t.Context(), stored))(t)
}

// Labels of the engine that Kubernetes allows are labels of the resource.
func TestEngineLabelsBecomeLabels(t *testing.T) {
	p := start(t)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		if kind == containersv1.KindContainerNamespace {
			t.Skip("objects of this kind have no labels")
		}
		made := p.create(t, labeled(kind, map[string]string{
			"com.docker.compose.project": "web", "empty": "", "a b": "key", "value": "two words", "long": strings.Repeat("x", 64),
		}))
		want := map[string]string{"com.docker.compose.project": "web", "empty": ""}
		if got := p.look(t, made).GetLabels(); !maps.Equal(got, want) {
			t.Errorf("the labels are %v, want %v", got, want)
		}
		p.clear(t, kind, home)
	})
}

// Each step is a change of labels by a user or by the engine, and what remains.
func TestLabelsOfUsersAndEngine(t *testing.T) {
	const mine, theirs = "mine", "theirs"
	p := start(t)
	made := p.create(t, labeled(containersv1.KindVolume, map[string]string{mine: "engine", "other": "engine"}))
	user := func(labels string) func(*testing.T) {
		return func(t *testing.T) {
			p.userPatches(t, made, `{"metadata":{"labels":`+labels+`}}`)
		}
	}
	engine := func(labels map[string]string) func(*testing.T) {
		return func(t *testing.T) { p.relabel(t, labels) }
	}
	both := map[string]string{mine: "engine", "other": "engine"}
	for _, step := range []struct {
		name string
		do   func(*testing.T)
		want map[string]string
	}{
		{"a user's label stays", user(`{"theirs":"yes"}`), map[string]string{mine: "engine", "other": "engine", theirs: "yes"}},
		{"a sync keeps it", engine(both), map[string]string{mine: "engine", "other": "engine", theirs: "yes"}},
		{"a user removes one of the engine", user(`{"mine":null}`), map[string]string{"other": "engine", theirs: "yes"}},
		{"it is restored", engine(both), map[string]string{mine: "engine", "other": "engine", theirs: "yes"}},
		{"a user changes one of the engine", user(`{"mine":"user"}`), map[string]string{mine: "user", "other": "engine", theirs: "yes"}},
		{"the engine wins", engine(both), map[string]string{mine: "engine", "other": "engine", theirs: "yes"}},
		{"the engine loses one", engine(map[string]string{mine: "engine"}), map[string]string{mine: "engine", theirs: "yes"}},
		{"a user changes the last one", user(`{"mine":"user"}`), map[string]string{mine: "user", theirs: "yes"}},
		{"the engine loses it, the user's stays", engine(nil), map[string]string{mine: "user", theirs: "yes"}},
		{"the engine gets one that a user has", engine(map[string]string{theirs: "engine"}), map[string]string{mine: "user", theirs: "engine"}},
	} {
		step.do(t)
		if got := p.look(t, made).GetLabels(); !maps.Equal(got, step.want) {
			t.Errorf("%s: the labels are %v, want %v", step.name, got, step.want)
		}
		if step.name == "the engine wins" {
			p.checkOwner(t, mine, containersv1.FieldManager)
		}
	}
}

// checkOwner fails the test unless exactly one manager owns a label.
func (p plane) checkOwner(t *testing.T, label, want string) {
	t.Helper()
	var owners []string
	for manager, fields := range managersOf(p.look(t, sample(containersv1.KindVolume, home, "one"))) {
		if strings.Contains(fields+"\n", ".metadata.labels."+label+"\n") {
			name, _, _ := strings.Cut(manager, " ")
			owners = append(owners, name)
		}
	}
	if len(owners) != 1 || owners[0] != want {
		t.Errorf("the label %s is owned by %v, want %s", label, owners, want)
	}
}

// A server-side apply of a label of the engine conflicts with rdd. With force it lasts
// until the next write of rdd.
func TestApplyOfEngineLabelConflicts(t *testing.T) {
	p := start(t)
	made := p.create(t, sample(containersv1.KindContainer, home, "one"))
	fields := map[string]any{"metadata": map[string]any{"labels": map[string]any{"b": "me"}}}
	if _, err := p.apply(t, "me", false, fields); !apierrors.IsConflict(err) || !strings.Contains(err.Error(), `"rdd"`) {
		t.Errorf("an apply without force: %v", err)
	}
	applied, err := p.apply(t, "me", true, fields)
	if err != nil || applied.GetLabels()["b"] != "me" {
		t.Fatalf("an apply with force: %v, %v", applied, err)
	}
	must(p.mirrors.UpdateStatus(t.Context(), p.read(t, made)))(t)
	found := p.look(t, made)
	if value, ok := found.GetLabels()["b"]; !ok || value != "" {
		t.Errorf("the label is not restored: %v", found.GetLabels())
	}
	if mine := managersOf(found)["me Apply containers.rancherdesktop.io/v1alpha1 "]; mine != "" {
		t.Errorf("the client still owns %s", mine)
	}
	// A second write has nothing to do.
	version := found.GetResourceVersion()
	must(p.mirrors.UpdateStatus(t.Context(), p.read(t, made)))(t)
	if again := p.look(t, made).GetResourceVersion(); again != version {
		t.Errorf("an unchanged mirror was written: %s, %s", version, again)
	}
}
