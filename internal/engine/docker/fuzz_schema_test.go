package docker

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/randfill"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/schematest"
)

// TestSchemaAcceptsMappedObjects holds what the mapping makes of odd objects against
// the definitions that are served.
func TestSchemaAcceptsMappedObjects(t *testing.T) {
	server := schematest.New(t)
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
			server.Check(t, compose(container, refused(errors.New("no"))))
		})
	}
	server.Check(t, compose(&containersv1.ContainerNamespace{ObjectMeta: metav1.ObjectMeta{Name: containersv1.MobyNamespace}}, nil))
}

// TestSchemaAcceptsLongRefusals lets the engine refuse at length: a condition holds
// only so much.
func TestSchemaAcceptsLongRefusals(t *testing.T) {
	server := schematest.New(t)
	for _, words := range []string{strings.Repeat("x", 1<<20), strings.Repeat("✗", 1<<16), "\xff\x00"} {
		image := func() *containersv1.Image {
			images, err := mapImages([]byte(`{"Id":"a"}`))
			if err != nil {
				t.Fatal(err)
			}
			return images[0]
		}
		server.Check(t, compose(image(), refused(errors.New(words))))
		server.Check(t, compose(image(), failed("remove it", errors.New(words))))
	}
}

// compose makes of what was read from the engine what the daemon would write: a
// new mirror, or one whose desired state the engine refused with these words.
func compose(mirror containersv1.Mirror, refusal error) containersv1.Mirror {
	mirror.SetNamespace("rancher-desktop")
	mirror.SetGeneration(1)
	mirror.SetUID("0e9a4bdc-6c5f-4a3b-8a70-3b6c7f5c2b11")
	mirror.SetCreationTimestamp(metav1.Now().Rfc3339Copy())
	if mirror.MirrorKind().HasFinalizer() {
		mirror.SetFinalizers([]string{containersv1.Finalizer})
	}
	if container, ok := mirror.(*containersv1.Container); ok {
		container.Spec.State = containersv1.StateUnknown
		container.Status.ObservedGeneration = 1
	}
	conditions := mirror.MirrorConditions()
	if conditions == nil {
		return mirror
	}
	if refusal != nil {
		*conditions = append(*conditions, metav1.Condition{
			Type: containersv1.ConditionEngineDeleted, Status: metav1.ConditionFalse,
			Reason: containersv1.ReasonRefused, Message: refusal.Error(), ObservedGeneration: 1,
		})
	}
	for i := range *conditions {
		(*conditions)[i].LastTransitionTime = metav1.Now().Rfc3339Copy()
	}
	return mirror
}

// fill turns the fuzzer's data into an answer of the engine. JSON stays as it is. Other
// data fills the fields that are read, mostly with plausible values.
func fill(t *testing.T, data []byte, wire any) []byte {
	t.Helper()
	if json.Valid(data) {
		return data
	}
	randfill.NewFromGoFuzz(data).NilChance(.2).NumElements(0, 4).Funcs(fillText, fillExposed, fillPorts).Fill(wire)
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

func fillExposed(ports *map[string]any, c randfill.Continue) {
	*ports = map[string]any{}
	for range c.Intn(4) {
		var port string
		c.Fill(&port)
		(*ports)[port] = struct{}{}
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
	server := schematest.New(f)
	f.Add([]byte(inspected), "no")
	f.Add([]byte(strings.Repeat("\x9c\x01 kf", 400)), "\xff")
	f.Fuzz(func(t *testing.T, data []byte, words string) {
		container, err := mapContainer(fill(t, data, &wireContainer{}))
		if err != nil {
			return
		}
		server.Check(t, compose(container, refused(errors.New(words))))
	})
}

// FuzzImageSchema makes up images, and what the engine refuses.
func FuzzImageSchema(f *testing.F) {
	server := schematest.New(f)
	f.Add([]byte(`{"Id":"sha256:1","RepoTags":["a:1","<none>:<none>"],"RepoDigests":[null,"x@y"],"Size":-1}`), "no")
	f.Add([]byte(strings.Repeat("\x9c\x01 kf", 400)), "\xff")
	f.Fuzz(func(t *testing.T, data []byte, words string) {
		images, err := mapImages(fill(t, data, &wireImage{}))
		if err != nil {
			return
		}
		for _, image := range images {
			server.Check(t, compose(image, failed("remove it", errors.New(words))))
		}
	})
}

// FuzzVolumeSchema makes up volumes.
func FuzzVolumeSchema(f *testing.F) {
	server := schematest.New(f)
	f.Add([]byte(`{"Name":"v","Labels":{"a":null},"CreatedAt":"2026-11-23T12:55:17+24:00"}`))
	f.Add([]byte(strings.Repeat("\x9c\x01 kf", 400)))
	f.Fuzz(func(t *testing.T, data []byte) {
		volume, err := mapVolume(fill(t, data, &wireVolume{}))
		if err != nil {
			return
		}
		server.Check(t, compose(volume, nil))
	})
}
