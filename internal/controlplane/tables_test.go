package controlplane_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	containersv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

// asTable is what kubectl accepts.
const asTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"

// tablePlane is a control plane with containers web and db in namespace n, where web uses
// image app:1 and db uses volume data.
type tablePlane struct {
	server *controlplane.Server
	user   rest.Interface
}

func newTablePlane(t *testing.T) tablePlane {
	t.Helper()
	opts := controlplanetest.Options(t)
	p := tablePlane{server: controlplanetest.StartWith(t, opts)}
	config := userConfig(t, opts)
	must(t, dynamicClient(t, config), namespaces, newNamespace("n"))
	p.user = kubeClient(t, config).CoreV1().RESTClient()
	p.create(t, tableContainer("web"))
	db := tableContainer("db")
	db.Status.ImageID = "sha256:bb"
	db.Status.Mounts = []containersv1alpha1.ContainerMount{{Type: "volume", Volume: "data", Destination: "/data"}}
	p.create(t, db)
	p.create(t, &containersv1alpha1.Image{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "img-1"},
		Status:     containersv1alpha1.ImageStatus{Namespace: "moby", ID: "sha256:aa", RepoTag: "app:1", Size: 1_980_000},
	})
	p.create(t, &containersv1alpha1.Volume{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "vol-1"},
		Status:     containersv1alpha1.VolumeStatus{Namespace: "moby", Name: "data", Driver: "local"},
	})
	return p
}

func tableContainer(name string) *containersv1alpha1.Container {
	started := metav1.NewMicroTime(time.Now().Add(-150 * time.Minute)) // 3 hours, rounded
	return &containersv1alpha1.Container{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "id-of-" + name, Labels: map[string]string{"name": name}},
		Spec:       containersv1alpha1.ContainerSpec{State: containersv1alpha1.StateUnknown},
		Status: containersv1alpha1.ContainerStatus{
			Status: containersv1alpha1.ContainerRunning, Name: name, Namespace: "moby", Image: "app:1", ImageID: "sha256:aa", StartedAt: &started,
		},
	}
}

func (p tablePlane) create(t *testing.T, m containersv1alpha1.Mirror) containersv1alpha1.Mirror {
	t.Helper()
	made, err := p.server.Mirrors().Create(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// get requests a path below the group. Parameters are alternately names and values.
func (p tablePlane) get(accept, path string, parameters ...string) *rest.Request {
	request := p.user.Get().AbsPath("/apis/"+containersv1alpha1.GroupVersion.String()+"/"+path).SetHeader("Accept", accept)
	for i := 0; i < len(parameters); i += 2 {
		request.Param(parameters[i], parameters[i+1])
	}
	return request
}

// table returns a table.
func (p tablePlane) table(t *testing.T, path string, parameters ...string) metav1.Table {
	t.Helper()
	data, err := p.get(asTable, path, parameters...).Do(t.Context()).Raw()
	if err != nil {
		t.Fatalf("%s %q: %v", path, parameters, err)
	}
	var table metav1.Table
	if err := json.Unmarshal(data, &table); err != nil || table.Kind != "Table" {
		t.Fatalf("%s: %v, %s", path, err, data)
	}
	return table
}

// cells returns a column of all rows; by its name in any case.
func cells(table metav1.Table, column string) []string {
	at := slices.IndexFunc(table.ColumnDefinitions, func(c metav1.TableColumnDefinition) bool { return strings.EqualFold(c.Name, column) })
	var texts []string
	for _, row := range table.Rows {
		texts = append(texts, fmt.Sprint(row.Cells[at]))
	}
	return texts
}

func TestTablesHaveUsefulColumns(t *testing.T) {
	p := newTablePlane(t)
	for resource, want := range map[string]string{
		"containers": "Container ID Image Status Ports Age", "images": "Tag ID Size Used by Age",
		"volumes": "Volume Driver Used by Age", "networks": "Network ID Driver Subnet Used by Age",
		"imagepullrequests": "Request For State Message Age", "prunerequests": "Request For State Message Age",
		"containernamespaces": "Name Age",
	} {
		table := p.table(t, "namespaces/n/"+resource)
		var shown []string
		for _, column := range table.ColumnDefinitions {
			if column.Priority == 0 {
				shown = append(shown, column.Name)
			}
		}
		if got := strings.Join(shown, " "); got != want || table.ResourceVersion == "" {
			t.Errorf("%s: columns %q of revision %q, want %q", resource, got, table.ResourceVersion, want)
		}
		last := table.ColumnDefinitions[len(table.ColumnDefinitions)-1]
		if resource != "containernamespaces" && (last.Name != "Name" || last.Format != "name" || last.Priority != 1) {
			t.Errorf("%s: the last column is %+v", resource, last)
		}
	}
	for column, want := range map[string][]string{
		"Container": {"db", "web"}, "Status": {"Up 3 hours", "Up 3 hours"}, "Image": {"app:1", "app:1"}, "Name": {"id-of-db", "id-of-web"},
	} {
		if got := cells(p.table(t, "namespaces/n/containers"), column); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", column, got, want)
		}
	}
	for _, path := range []string{"namespaces/n/images", "images", "namespaces/n/images/img-1"} {
		table := p.table(t, path)
		if got := append(cells(table, "Size"), cells(table, "Used by")...); !slices.Equal(got, []string{"1.98MB", "web"}) {
			t.Errorf("%s: %q", path, got)
		}
	}
	if got := cells(p.table(t, "namespaces/n/volumes"), "Used by"); !slices.Equal(got, []string{"db"}) {
		t.Errorf("the volume is used by %q", got)
	}
}

// Selectors, chunks and single objects are the same as without tables.
func TestTablesSelectAsLists(t *testing.T) {
	const future = "9007199254740991" // more than any revision
	digits := regexp.MustCompile(`\d+`)
	p := newTablePlane(t)
	for parameters, want := range map[string]string{
		"": "db web", "labelSelector name=web": "web", "fieldSelector status.name=db": "db", "fieldSelector status.status!=running": "",
		"fieldSelector metadata.name=id-of-web": "web", "limit 1": "db", "resourceVersion 0": "db web",
	} {
		if got := strings.Join(cells(p.table(t, "namespaces/n/containers", strings.Fields(parameters)...), "Container"), " "); got != want {
			t.Errorf("%q: %q, want %q", parameters, got, want)
		}
	}
	first := p.table(t, "containers", "limit", "1")
	if first.Continue == "" || first.RemainingItemCount == nil || *first.RemainingItemCount != 1 {
		t.Errorf("the first chunk is %+v", first.ListMeta)
	}
	if rest := p.table(t, "containers", "limit", "1", "continue", first.Continue); !slices.Equal(cells(rest, "Container"), []string{"web"}) {
		t.Errorf("the second chunk is %+v", rest)
	}
	for path, is := range map[string]func(error) bool{
		"namespaces/n/containers/web":                                  apierrors.IsNotFound,
		"namespaces/n/containers?fieldSelector=status.image%3Dx":       apierrors.IsBadRequest,
		"namespaces/n/containers?includeObject=All":                    apierrors.IsBadRequest,
		"namespaces/n/containers?watch=true&resourceVersion=" + future: apierrors.IsTimeout,
		"namespaces/n/containers?limit=1&continue=nonsense":            apierrors.IsBadRequest,
		"namespaces/n/containers?resourceVersionMatch=Exact&labelSel=": apierrors.IsInvalid,
	} {
		uri := "/apis/" + containersv1alpha1.GroupVersion.String() + "/" + path
		var errs [2]string
		for i, accept := range []string{asTable, "application/json"} {
			if strings.Contains(path, "includeObject") && accept != asTable {
				errs[i] = errs[0]
				continue
			}
			_, err := p.user.Get().RequestURI(uri).SetHeader("Accept", accept).MaxRetries(0).Do(t.Context()).Raw()
			if !is(err) {
				t.Errorf("%s as %s: %v", path, accept, err)
			}
			errs[i] = digits.ReplaceAllString(fmt.Sprint(err), "N") // one of them is the current revision
		}
		if errs[0] != errs[1] {
			t.Errorf("%s: as a table %q, as a list %q", path, errs[0], errs[1])
		}
	}
}

// A row has as much of its object as the client requests.
func TestTableRowsHaveObjects(t *testing.T) {
	p := newTablePlane(t)
	for include, want := range map[string]string{"": "PartialObjectMetadata", "Metadata": "PartialObjectMetadata", "Object": "Container", "None": "<nil>"} {
		row := p.table(t, "namespaces/n/containers/id-of-web", "includeObject", include).Rows[0]
		object := map[string]any{}
		if row.Object.Raw != nil {
			if err := json.Unmarshal(row.Object.Raw, &object); err != nil {
				t.Fatal(err)
			}
		}
		if got := fmt.Sprint(object["kind"]); got != want {
			t.Errorf("%q: the object is a %s, want a %s", include, got, want)
		}
		if include != "Object" {
			continue
		}
		var plain map[string]any
		data, err := p.get("application/json", "namespaces/n/containers/id-of-web").Do(t.Context()).Raw()
		if err == nil {
			err = json.Unmarshal(data, &plain)
		}
		if err != nil || fmt.Sprint(plain) != fmt.Sprint(object) {
			t.Errorf("the object of a row differs:\n%v\n%v, %v", object, plain, err)
		}
	}
	for accept, want := range map[string]string{
		"application/json;as=Table;v=v1beta1;g=meta.k8s.io": `"apiVersion":"meta.k8s.io/v1beta1"`,
		"application/yaml;as=Table;v=v1;g=meta.k8s.io":      "columnDefinitions:\n",
		"application/json": `"kind":"ContainerList"`,
		"application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io": `"kind":"PartialObjectMetadataList"`,
		"application/json;as=Table;v=v9;g=meta.k8s.io,application/json":    `"kind":"ContainerList"`,
	} {
		data, err := p.get(accept, "namespaces/n/containers").Do(t.Context()).Raw()
		if err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s: %v, %.200s", accept, err, data)
		}
	}
}

// tableEvent is an event of a watch for tables.
type tableEvent struct {
	Type   string
	Object metav1.Table
}

// watchTables returns a function that waits for the next event.
func (p tablePlane) watchTables(t *testing.T, path string, parameters ...string) (next func() tableEvent) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	stream, err := p.get(asTable, path, append(parameters, "watch", "true")...).Stream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stream.Close() })
	decoder := json.NewDecoder(stream)
	return func() tableEvent {
		t.Helper()
		var event tableEvent
		if err := decoder.Decode(&event); err != nil {
			t.Fatal(err)
		}
		return event
	}
}

// The first event of a watch has the columns. Others may have them: watches share encoded
// events.
func TestTablesAreWatched(t *testing.T) {
	p := newTablePlane(t)
	revision := p.table(t, "namespaces/n/containers").ResourceVersion
	next := p.watchTables(t, "namespaces/n/containers", "resourceVersion", revision)
	running := p.watchTables(t, "containers", "resourceVersion", revision, "fieldSelector", "status.status=running")
	made := p.create(t, tableContainer("new")).(*containersv1alpha1.Container)
	exited := made.DeepCopy()
	exited.Status.Status, exited.Status.ExitCode = containersv1alpha1.ContainerExited, 3
	updated, err := p.server.Mirrors().UpdateStatus(t.Context(), exited)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.server.Mirrors().Remove(t.Context(), updated); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"ADDED Up 3 hours", "MODIFIED Exited (3)", "DELETED Exited (3)"} {
		event := next()
		if got := event.Type + " " + fmt.Sprint(event.Object.Rows[0].Cells[3]); got != want || i == 0 && len(event.Object.ColumnDefinitions) == 0 {
			t.Errorf("event %d is %q with %d columns, want %q", i, got, len(event.Object.ColumnDefinitions), want)
		}
	}
	for _, want := range []string{"ADDED", "DELETED"} {
		if event := running(); event.Type != want || event.Object.Rows[0].Cells[0] != "new" {
			t.Errorf("the watch of running containers has %+v, want %s", event, want)
		}
	}
}

// A watch may begin with what exists. The rows of images name the containers that use them.
func TestWatchedTablesBeginWithObjects(t *testing.T) {
	p := newTablePlane(t)
	next := p.watchTables(t, "namespaces/n/images", "sendInitialEvents", "true", "allowWatchBookmarks", "true", "resourceVersionMatch", "NotOlderThan")
	if event := next(); event.Type != "ADDED" || !slices.Equal(cells(event.Object, "Used by"), []string{"web"}) {
		t.Errorf("the first event is %+v", event)
	}
	if event := next(); event.Type != "BOOKMARK" || event.Object.ResourceVersion == "" {
		t.Errorf("the second event is %+v", event)
	}
}

// BenchmarkTable measures a list of 700 containers as a table.
func BenchmarkTable(b *testing.B) {
	opts := controlplanetest.Options(b)
	server := controlplanetest.StartWith(b, opts)
	config := userConfig(b, opts)
	must(b, dynamicClient(b, config), namespaces, newNamespace("n"))
	for i := range 700 {
		c := tableContainer(fmt.Sprintf("container-%d", i))
		c.Name, c.Status.ImageID = fmt.Sprintf("%064d", i), fmt.Sprintf("sha256:%064d", i%50)
		if _, err := server.Mirrors().Create(b.Context(), c); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 700 {
		_, err := server.Mirrors().Create(b.Context(), &containersv1alpha1.Image{
			ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: fmt.Sprintf("img-%d", i)},
			Status:     containersv1alpha1.ImageStatus{Namespace: "moby", ID: fmt.Sprintf("sha256:%064d", i%50), RepoTag: fmt.Sprintf("app:%d", i), Size: 1_980_000},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	client := kubeClient(b, config).CoreV1().RESTClient()
	for _, resource := range []string{"containers", "images"} {
		for name, accept := range map[string]string{"table": asTable, "list": "application/json"} {
			b.Run(resource+"/"+name, func(b *testing.B) {
				for b.Loop() {
					path := "/apis/" + containersv1alpha1.GroupVersion.String() + "/namespaces/n/" + resource
					if _, err := client.Get().AbsPath(path).SetHeader("Accept", accept).Do(b.Context()).Raw(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
