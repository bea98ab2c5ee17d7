package controlplane_test

import (
	"bufio"
	"regexp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

// revisionFirst matches an object whose revision stands before all other metadata.
var revisionFirst = regexp.MustCompile(`"metadata":\{"resourceVersion":"\d+","`)

// Watches that request JSON of whole objects receive what is stored: its revision stands
// before all other metadata. All other watches receive decoded objects.
func TestWatchSendsWhatIsStored(t *testing.T) {
	opts := controlplanetest.Options(t)
	daemon := dynamicClient(t, controlplanetest.StartWith(t, opts).RESTConfig())
	must(t, daemon, namespaces, newNamespace("n"))
	client := kubeClient(t, userConfig(t, opts)).Discovery().RESTClient()
	lines := map[string]*bufio.Reader{}
	const path = "/apis/containers.rancherdesktop.io/v1alpha1/namespaces/n/volumes"
	for name, request := range map[string]struct{ accept, selector string }{
		"json":            {"application/json", ""},
		"json or others":  {"application/json;q=0.9,application/yaml;q=0.8", ""},
		"selected by key": {"application/json", "mine!=yes"},
		"metadata":        {"application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1", ""},
		"table":           {"application/json;as=Table;g=meta.k8s.io;v=v1", ""},
	} {
		body, err := client.Get().AbsPath(path).Param("watch", "1").Param("labelSelector", request.selector).
			SetHeader("Accept", request.accept).Stream(t.Context())
		if err != nil {
			t.Fatal(name, err)
		}
		defer func() { _ = body.Close() }()
		lines[name] = bufio.NewReader(body)
	}
	created := must(t, daemon, mirrors("volumes"), newMirror("Volume", "n", "one"))
	created.SetLabels(map[string]string{"changed": "yes"})
	if _, err := daemon.Resource(mirrors("volumes")).Namespace("n").Update(t.Context(), created, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	for name, reader := range lines {
		for _, kind := range []string{"ADDED", "MODIFIED"} {
			line, err := reader.ReadString('\n')
			if err != nil {
				t.Fatal(name, err)
			}
			if !strings.HasPrefix(line, `{"type":"`+kind+`"`) || !strings.Contains(line, `"resourceVersion":"`) || !strings.Contains(line, "one") {
				t.Errorf("%s: %s", name, line)
			}
			isStored := revisionFirst.MatchString(line)
			if want := strings.HasPrefix(name, "json") || name == "selected by key"; isStored != want {
				t.Errorf("%s: sent as stored: %v, want %v: %s", name, isStored, want, line)
			}
		}
	}
}
