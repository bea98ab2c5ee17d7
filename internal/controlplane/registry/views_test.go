package registry_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// selectable returns the fields that selectors of a kind can use.
func selectable(kind containersv1.Kind) []string {
	switch kind {
	case containersv1.KindContainer:
		return []string{"metadata.name", "status.name", "status.namespace", "status.status"}
	case containersv1.KindImage:
		return []string{"metadata.name", "status.id", "status.repoTag", "status.namespace"}
	case containersv1.KindNetwork:
		return []string{"metadata.name", "status.id", "status.name", "status.namespace"}
	case containersv1.KindVolume:
		return []string{"metadata.name", "status.name", "status.namespace"}
	default:
		return []string{"metadata.name", "status.name"}
	}
}

// Field selectors work on mirrors that the registry wrote.
func TestFieldSelectors(t *testing.T) {
	p := start(t)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		p.create(t, sample(kind, home, "one"))
		p.create(t, changed(sample(kind, home, "two")))
		all, err := p.seen(kind, home).List(t.Context(), metav1.ListOptions{})
		if err != nil || len(all.Items) != 2 {
			t.Fatalf("the list is %v: %v", all, err)
		}
		for _, field := range selectable(kind) {
			value := valueAt(t, &all.Items[0], field)
			var want []string
			for i := range all.Items {
				if valueAt(t, &all.Items[i], field) == value {
					want = append(want, all.Items[i].GetName())
				}
			}
			selector := fields.OneTermEqualSelector(field, value).String()
			list, err := p.seen(kind, home).List(t.Context(), metav1.ListOptions{FieldSelector: selector})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range list.Items {
				got = append(got, list.Items[i].GetName())
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s gives %v, want %v", selector, got, want)
			}
		}
	})
}

func valueAt(t *testing.T, obj *unstructured.Unstructured, field string) string {
	t.Helper()
	path := map[bool][]string{true: {"metadata", "name"}, false: {"status", field[len("status."):]}}[field == "metadata.name"]
	value, _, err := unstructured.NestedString(obj.Object, path...)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// Mirrors enter and leave the selection of a watch. A mirror that is created with its
// status enters it at once.
func TestWatchWithFieldSelector(t *testing.T) {
	p := start(t)
	running := metav1.ListOptions{ResourceVersion: now(t, p.seen(containersv1.KindContainer, home)), FieldSelector: "status.status=running"}
	watcher := watching(t, p.seen(containersv1.KindContainer, home).Watch, running)
	exited := sample(containersv1.KindContainer, home, "one")
	made := p.create(t, exited)
	p.create(t, changed(sample(containersv1.KindContainer, home, "two")))
	entered := changeIt(t, p, p.mirrors, made)
	entered.SetStatusFrom(exited)
	must(p.mirrors.UpdateStatus(t.Context(), entered))(t)
	var got []string
	for _, e := range follow(t, watcher, 3) {
		got = append(got, string(e.Type)+" "+e.Object["metadata"].(map[string]any)["name"].(string))
	}
	want := []string{string(watch.Added) + " two", string(watch.Added) + " one", string(watch.Deleted) + " one"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The tables that kubectl prints are the same as for mirrors written over HTTP.
func TestTables(t *testing.T) {
	p := start(t)
	p.addNamespace(t, byRegistry)
	p.addNamespace(t, byHTTP)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		for namespace, w := range map[string]writer{byRegistry: p.mirrors, byHTTP: p.overHTTP} {
			createIt(t, p, w, sample(kind, namespace, "one"))
			createIt(t, p, w, changed(sample(kind, namespace, "two")))
		}
		columns, ours := p.table(t, kind, byRegistry)
		_, theirs := p.table(t, kind, byHTTP)
		if difference := cmp.Diff(theirs, ours); difference != "" {
			t.Errorf("the rows are (- over HTTP, + by the registry):\n%s", difference)
		}
		if len(columns) < 2 || !slices.Contains(columns, "Name") || !slices.Contains(columns, "Age") {
			t.Errorf("the columns are %v", columns)
		}
	})
}

// table returns the columns and the rows of a kind. It leaves out an age that is that
// of the resource and not of the object.
func (p plane) table(t *testing.T, kind containersv1.Kind, namespace string) (columns []string, rows [][]any) {
	t.Helper()
	client, err := kubernetes.NewForConfig(p.userConfig)
	if err != nil {
		t.Fatal(err)
	}
	resource := kind.GroupVersionResource()
	data, err := client.RESTClient().Get().AbsPath("/apis", resource.Group, resource.Version, "namespaces", namespace, resource.Resource).
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(t.Context()).Raw()
	if err != nil {
		t.Fatal(err)
	}
	var table metav1.Table
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	for _, column := range table.ColumnDefinitions {
		columns = append(columns, column.Name)
	}
	for _, row := range table.Rows {
		if kind == containersv1.KindContainerNamespace {
			row.Cells = row.Cells[:len(row.Cells)-1]
		}
		if age := slices.Index(columns, "Age"); age >= 0 && age < len(row.Cells) {
			row.Cells[age] = "" // the resources were created one after the other
		}
		rows = append(rows, row.Cells)
	}
	return columns, rows
}

// A client sees the defaults of fields that were stored empty.
func TestDefaulting(t *testing.T) {
	p := start(t)
	made := sample(containersv1.KindContainer, home, "one").(*containersv1.Container)
	made.Spec.State = ""
	p.create(t, made)
	if got := state(t, p.look(t, made)); got != "unknown" {
		t.Errorf("a client sees the state %q", got)
	}
	must(p.mirrors.UpdateStatus(t.Context(), changed(p.read(t, made))))(t)
	if found := p.look(t, made); state(t, found) != "unknown" || found.GetGeneration() != 1 {
		t.Errorf("after a write of the status a client sees %v", found)
	}
}

// The first list of the daemon's informers has all mirrors.
func TestOwnList(t *testing.T) {
	p := start(t)
	p.addNamespace(t, byRegistry)
	perKind(t, func(t *testing.T, kind containersv1.Kind) {
		want := []containersv1.Mirror{p.create(t, sample(kind, byRegistry, "one")), p.create(t, sample(kind, home, "two"))}
		obj, err := p.mirrors.ListerWatcher(containersv1.NewMirror(kind)).(cache.ListerWatcherWithContext).ListWithContext(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		items, err := meta.ExtractList(obj)
		if err != nil || len(items) != len(want) {
			t.Fatalf("the list is %v: %v", items, err)
		}
		for i, item := range items {
			if difference := cmp.Diff(want[i], item.(containersv1.Mirror)); difference != "" {
				t.Errorf("the list differs from the written mirrors (- written, + listed):\n%s", difference)
			}
		}
		if list, err := meta.ListAccessor(obj); err != nil || list.GetResourceVersion() != now(t, p.seen(kind, home)) {
			t.Errorf("the list has another revision: %v", err)
		}
	})
}
