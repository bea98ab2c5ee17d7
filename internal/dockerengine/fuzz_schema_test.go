package dockerengine

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/randfill"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// TestSchemaTakesWhatIsMapped holds what the mapping makes of odd objects against
// the definitions that are served.
func TestSchemaTakesWhatIsMapped(t *testing.T) {
	server := newAPIServer(t)
	for name, raw := range map[string]string{
		"a usual one":      inspected,
		"nearly nothing":   `{"Id":"a"}`,
		"an unknown state": `{"Id":"a","State":{"Status":"stopping","ExitCode":99999999999,"Pid":-1}}`,
		"times":            `{"Id":"a","Created":"9999-12-31T23:59:59.9999999Z","State":{"StartedAt":"0002-01-01T00:00:00Z","FinishedAt":"0001-01-01T00:00:00Z"}}`,
		"ports":            `{"Id":"a","Config":{"ExposedPorts":{"0/tcp":{},"65535/SCTP":{},"65536/tcp":{},"x":{}}},"NetworkSettings":{"Ports":{"1/udp":[{"HostPort":"99999"},{}]}}}`,
		"odd labels":       `{"Id":"a","Config":{"Labels":{"":"","\u0000":"\ud800","a/b/c":null}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			container, err := mapContainer([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			server.check(t, compose(container, refused(errors.New("no"))))
		})
	}
	server.check(t, compose(&containersv1.ContainerNamespace{ObjectMeta: metav1.ObjectMeta{Name: mobyNamespace}}, nil))
}

// TestSchemaTakesLongRefusals lets the engine refuse at length: a condition holds
// only so much.
func TestSchemaTakesLongRefusals(t *testing.T) {
	server := newAPIServer(t)
	for _, words := range []string{strings.Repeat("x", 1<<20), strings.Repeat("✗", 1<<16), "\xff\x00"} {
		image := func() *containersv1.Image {
			images, err := mapImages([]byte(`{"Id":"a"}`))
			if err != nil {
				t.Fatal(err)
			}
			return images[0]
		}
		server.check(t, compose(image(), refused(errors.New(words))))
		server.check(t, compose(image(), failed("remove it", errors.New(words))))
	}
}

// TestSchemaComplains makes sure that the other tests could fail.
func TestSchemaComplains(t *testing.T) {
	server := newAPIServer(t)
	good := func() *unstructured.Unstructured {
		container, err := mapContainer([]byte(inspected))
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(compose(container, nil))
		if err != nil {
			t.Fatal(err)
		}
		obj := &unstructured.Unstructured{Object: map[string]any{}}
		if err := json.Unmarshal(data, &obj.Object); err != nil {
			t.Fatal(err)
		}
		obj.SetGroupVersionKind(containersv1.KindContainer.GroupVersionKind())
		return obj
	}
	for name, spoil := range map[string]func(status map[string]any){
		"a state":  func(status map[string]any) { status["status"] = "flying" },
		"a time":   func(status map[string]any) { status["createdAt"] = "yesterday" },
		"a number": func(status map[string]any) { status["exitCode"] = int64(1) << 40 },
		"a type":   func(status map[string]any) { status["args"] = "x" },
		"a key twice": func(status map[string]any) {
			status["conditions"] = append(status["conditions"].([]any), status["conditions"].([]any)[0])
		},
		"a missing key": func(status map[string]any) { status["ports"] = []any{map[string]any{"protocol": "tcp"}} },
	} {
		obj := good()
		spoil(obj.Object["status"].(map[string]any))
		if complaints := server.complaints(obj); len(complaints) == 0 {
			t.Errorf("%s is not noticed", name)
		}
	}
	for name, change := range map[string]func(obj map[string]any){
		"an unknown field": func(obj map[string]any) { obj["status"].(map[string]any)["x"] = "y" },
		"a default":        func(obj map[string]any) { delete(obj, "spec") },
		"a null":           func(obj map[string]any) { obj["status"].(map[string]any)["args"] = nil },
	} {
		obj := good()
		change(obj.Object)
		if fmt.Sprint(server.serve(t, obj)) == fmt.Sprint(obj.Object) {
			t.Errorf("%s is served as it is", name)
		}
	}
}

// fill turns what the fuzzer made up into an answer of the engine: as it is when
// it is JSON, else by filling the fields that are read, mostly with what looks
// like what belongs there.
func fill(t *testing.T, data []byte, wire any) []byte {
	t.Helper()
	if json.Valid(data) {
		return data
	}
	randfill.NewFromGoFuzz(data).NilChance(.2).NumElements(0, 4).Funcs(fillText, fillPorts).Fill(wire)
	raw, err := json.Marshal(wire)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func fillText(text *string, c randfill.Continue) {
	odd := []string{
		"", "running", "restarting", "/name", "//a/b", "<none>:<none>", "a@sha256:0", "\xff\xfe", "\u0000\u2028<&>", "80/tcp", "0/", "65535/SCTP", "8080",
		"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999-23:59", "2024-02-30T00:00:00Z", "2016-12-31T23:59:60Z", "2026-11-23T12:55:17.000000001+24:00",
	}
	switch c.Intn(4) {
	case 0:
		*text = odd[c.Intn(len(odd))]
	case 1:
		*text = time.Unix(c.Int63()%(1<<38)-1<<36, c.Int63()%1e9).UTC().Format(time.RFC3339Nano)
	case 2:
		*text = fmt.Sprintf("%x", c.Uint64())
	default:
		*text = c.String(0)
	}
}

func fillPorts(ports *wirePorts, c randfill.Continue) {
	*ports = wirePorts{}
	for range c.Intn(4) {
		protocol := []string{"tcp", "udp", "sctp", "", "TCP", "icmp"}[c.Intn(6)]
		bindings := (*ports)[""]
		c.Fill(&bindings)
		for i := range bindings {
			bindings[i].HostPort = fmt.Sprint(c.Intn(math.MaxUint16 + 100))
		}
		(*ports)[fmt.Sprintf("%d/%s", c.Intn(math.MaxUint16+100), protocol)] = bindings
	}
}

// FuzzContainerSchema makes up containers, and what the engine refuses.
func FuzzContainerSchema(f *testing.F) {
	server := newAPIServer(f)
	f.Add([]byte(inspected), "no")
	f.Add([]byte(strings.Repeat("\x9c\x01 kf", 400)), "\xff")
	f.Fuzz(func(t *testing.T, data []byte, words string) {
		container, err := mapContainer(fill(t, data, &wireContainer{}))
		if err != nil {
			return
		}
		server.check(t, compose(container, refused(errors.New(words))))
	})
}

// FuzzImageSchema makes up images, and what the engine refuses.
func FuzzImageSchema(f *testing.F) {
	server := newAPIServer(f)
	f.Add([]byte(`{"Id":"sha256:1","RepoTags":["a:1","<none>:<none>"],"RepoDigests":[null,"x@y"],"Size":-1}`), "no")
	f.Add([]byte(strings.Repeat("\x9c\x01 kf", 400)), "\xff")
	f.Fuzz(func(t *testing.T, data []byte, words string) {
		images, err := mapImages(fill(t, data, &wireImage{}))
		if err != nil {
			return
		}
		for _, image := range images {
			server.check(t, compose(image, failed("remove it", errors.New(words))))
		}
	})
}

// FuzzVolumeSchema makes up volumes.
func FuzzVolumeSchema(f *testing.F) {
	server := newAPIServer(f)
	f.Add([]byte(`{"Name":"v","Labels":{"a":null},"CreatedAt":"2026-11-23T12:55:17+24:00"}`))
	f.Add([]byte(strings.Repeat("\x9c\x01 kf", 400)))
	f.Fuzz(func(t *testing.T, data []byte) {
		volume, err := mapVolume(fill(t, data, &wireVolume{}))
		if err != nil {
			return
		}
		server.check(t, compose(volume, nil))
	})
}
