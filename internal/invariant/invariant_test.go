package invariant

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// faithful returns the exact mirrors of an engine.
func faithful(t *testing.T, endpoint string) []containersv1.Mirror {
	t.Helper()
	engine, err := docker.Dial(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	moby := &containersv1.ContainerNamespace{ObjectMeta: metav1.ObjectMeta{Name: containersv1.MobyNamespace}}
	moby.Status.Name = containersv1.MobyNamespace
	mirrors := []containersv1.Mirror{moby}
	for _, kind := range listedKinds() {
		objects, err := engine.List(ctx, kind)
		must(err)
		for _, id := range docker.IDs(objects) {
			some, err := engine.Inspect(ctx, kind, id)
			must(err)
			mirrors = append(mirrors, some...)
		}
	}
	for _, m := range mirrors {
		m.SetGeneration(1)
		if c, ok := m.(*containersv1.Container); ok {
			c.Spec.State = containersv1.StateUnknown
			c.Status.ObservedGeneration = 1
		}
		containersv1.SyncLabels(m, nil)
		if m.MirrorKind().HasFinalizer() {
			m.SetFinalizers([]string{containersv1.Finalizer})
		}
	}
	return mirrors
}

// fixed is a Mirrors that never changes.
type fixed []containersv1.Mirror

func (f fixed) Mirrors(_ context.Context, kind containersv1.Kind) ([]containersv1.Mirror, error) {
	var some []containersv1.Mirror
	for _, m := range f {
		if m.MirrorKind() == kind {
			some = append(some, m)
		}
	}
	return some, nil
}

// furnished starts an engine with objects of every kind.
func furnished(t *testing.T) *dockersim.Engine {
	t.Helper()
	sim := dockersim.Start(t)
	sim.Populate(3, 4, 2)
	sim.AddImageSpec(dockersim.ImageSpec{Tags: []string{"two:A", "reg:5000/two:b"}, Labels: map[string]string{"empty": "", "zero": "0"}})
	sim.AddImageSpec(dockersim.ImageSpec{})
	return sim
}

func check(t *testing.T, source Source, mirrors []containersv1.Mirror) []Difference {
	t.Helper()
	found, err := Check(t.Context(), source, fixed(mirrors))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestCheckAcceptsExactMirrors(t *testing.T) {
	sim := furnished(t)
	mirrors := faithful(t, sim.Endpoint())
	if len(mirrors) != 1+4+3+3+2+3 {
		t.Errorf("%d mirrors", len(mirrors))
	}
	engine, err := docker.Dial(sim.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	for name, source := range map[string]Source{
		"engine": fromEngine(engine), "endpoint": FromEndpoint(sim.Endpoint(), ""), "version": FromEndpoint(sim.Endpoint(), "1.41"),
	} {
		for _, d := range check(t, source, mirrors) {
			t.Errorf("%s: %s", name, d)
		}
	}
	if found := check(t, Nothing(), nil); found != nil {
		t.Errorf("both sides empty: %v", found)
	}
	if found := check(t, Nothing(), mirrors); len(found) != len(mirrors) || found[0].Problem != Ghost {
		t.Errorf("mirrors without an engine: %v", found)
	}
}

// plant makes one difference, and says how it must be reported.
type plant struct {
	name string
	do   func(w *world)
	want []Problem
	// field is the field of the reported difference.
	field string
}

// world has the engine and the mirrors that a plant changes.
type world struct {
	sim     *dockersim.Engine
	mirrors []containersv1.Mirror
}

func (w *world) container() *containersv1.Container { return first[*containersv1.Container](w) }
func (w *world) image() *containersv1.Image         { return first[*containersv1.Image](w) }
func (w *world) volume() *containersv1.Volume       { return first[*containersv1.Volume](w) }

func (w *world) network() *containersv1.Network { return first[*containersv1.Network](w) }

func first[M containersv1.Mirror](w *world) M {
	for _, m := range w.mirrors {
		if found, ok := m.(M); ok {
			return found
		}
	}
	panic("no such mirror")
}

func (w *world) without(gone containersv1.Mirror) {
	w.mirrors = slices.DeleteFunc(w.mirrors, func(m containersv1.Mirror) bool { return m == gone })
}

func plants() []plant {
	before := metav1.NewTime(time.Now().Add(-time.Hour))
	all := fieldPlants()
	return append(all, []plant{
		{"missing container", func(w *world) { w.without(w.container()) }, []Problem{Missing}, ""},
		{"missing image", func(w *world) { w.without(w.image()) }, []Problem{Missing}, ""},
		{"missing volume", func(w *world) { w.without(w.volume()) }, []Problem{Missing}, ""},
		{"missing namespace", func(w *world) { w.without(first[*containersv1.ContainerNamespace](w)) }, []Problem{Missing}, ""},
		{"ghost", func(w *world) { _ = w.sim.RemoveContainer(w.container().Name, true) }, []Problem{Ghost}, ""},
		{"finalizer stripped", func(w *world) { w.volume().Finalizers = nil }, []Problem{NoFinalizer}, ""},
		{"finalizer on a kind without", func(w *world) {
			first[*containersv1.ContainerNamespace](w).Finalizers = []string{containersv1.Finalizer}
		}, []Problem{NoFinalizer}, ""},
		{"label missing", func(w *world) { delete(w.container().Labels, "number") }, []Problem{NoLabel}, "metadata.labels[number]"},
		{"label changed", func(w *world) { w.container().Labels["number"] = "other" }, []Problem{NoLabel}, "metadata.labels[number]"},
		{"label of a user", func(w *world) { w.container().Labels["mine"] = "yes" }, nil, ""},
		{"wrong name", func(w *world) { w.image().Name = "img-0" }, []Problem{Missing, Ghost, WrongName}, ""},
		{"duplicate", func(w *world) {
			twin := w.volume().DeepCopy()
			twin.Name = "vol-twin"
			w.mirrors = append(w.mirrors, twin)
		}, []Problem{Duplicate, Ghost, WrongName}, ""},
		{"observed generation too high", func(w *world) { w.container().Status.ObservedGeneration = 2 }, []Problem{Ahead}, "observedGeneration"},
		{"desired state waits", func(w *world) {
			c := w.container()
			c.Spec.State, c.Generation, c.CreationTimestamp = containersv1.StateRunning, 2, before
		}, []Problem{WaitingState}, "observedGeneration"},
		{"desired state refused without message", func(w *world) {
			c := w.container()
			c.Spec.State, c.Generation, c.CreationTimestamp = containersv1.StateRunning, 2, before
			refuse(c, containersv1.ConditionStateReached, "")
		}, []Problem{WaitingState}, "observedGeneration"},
		{"desired state refused with message", func(w *world) {
			c := w.container()
			c.Spec.State, c.Generation = containersv1.StateRunning, 2
			refuse(c, containersv1.ConditionStateReached, "no")
		}, nil, ""},
		{"refusal of an applied state", func(w *world) {
			refuse(w.container(), containersv1.ConditionStateReached, "no")
		}, []Problem{StaleRefusal}, "conditions[StateReached]"},
		{"refusal of a deletion without request", func(w *world) {
			refuse(w.image(), containersv1.ConditionEngineDeleted, "in use")
		}, []Problem{StaleRefusal}, "conditions[EngineDeleted]"},
		{"action requested", func(w *world) {
			w.container().Annotations = map[string]string{containersv1.ActionAnnotation: "restart"}
		}, []Problem{WaitingAction}, "lastAction"},
		{"action runs", func(w *world) {
			w.container().Status.LastAction = &containersv1.ActionStatus{Action: containersv1.ActionStop, State: containersv1.ActionRunning}
		}, []Problem{WaitingAction}, "lastAction"},
		{"action ended", func(w *world) {
			w.container().Status.LastAction = &containersv1.ActionStatus{Action: containersv1.ActionStop, State: containersv1.ActionFailed, Error: "no"}
		}, nil, ""},
		{"delete waits", func(w *world) { w.volume().DeletionTimestamp = &before }, []Problem{WaitingDelete}, ""},
		{"delete refused", func(w *world) {
			w.volume().DeletionTimestamp = &before
			refuse(w.volume(), containersv1.ConditionEngineDeleted, "in use")
		}, nil, ""},
		{"gone from the engine, held by another controller", func(w *world) {
			c := w.container()
			_ = w.sim.RemoveContainer(c.Name, true)
			c.DeletionTimestamp, c.Finalizers = &before, []string{"example.com/other"}
		}, nil, ""},
	}...)
}

// fieldPlants returns plants that change one field each.
func fieldPlants() []plant {
	differ := func(field string, do func(w *world)) plant { return plant{field, do, []Problem{Differs}, field} }
	return []plant{
		differ("name", func(w *world) { w.container().Status.Name = "other" }),
		differ("status", func(w *world) { w.container().Status.Status = containersv1.ContainerDead }),
		differ("exitCode", func(w *world) { w.container().Status.ExitCode = 3 }),
		differ("error", func(w *world) { w.container().Status.Error = "words" }),
		differ("args[0]", func(w *world) { w.container().Status.Args[0] = "" }),
		differ("args[9]", func(w *world) {
			c := w.container()
			c.Status.Args = append(c.Status.Args, make([]string, 10-len(c.Status.Args))...)
		}),
		differ("labels[number]", func(w *world) { w.container().Status.Labels["number"] = "not valid" }),
		differ("labels[more]", func(w *world) { w.container().Status.Labels["more"] = "not valid" }),
		differ("exitReason", func(w *world) { w.container().Status.ExitReason = "words" }),
		differ("health[status]", func(w *world) { w.container().Status.Health.Status = containersv1.HealthHealthy }),
		differ("health[failingStreak]", func(w *world) { w.container().Status.Health.FailingStreak = 1 }),
		differ("health[output]", func(w *world) { w.container().Status.Health.Output = "words" }),
		differ("conditions[Healthy]", func(w *world) {
			c := w.container()
			c.Status.Conditions = append(c.Status.Conditions, metav1.Condition{Type: containersv1.ConditionHealthy, Status: metav1.ConditionTrue})
		}),
		differ("mounts[0][destination]", func(w *world) {
			w.container().Status.Mounts = []containersv1.ContainerMount{{Type: "bind", Source: "/a", Destination: "/b"}}
		}),
		differ("networks[0][addresses][0]", func(w *world) {
			w.container().Status.Networks = []containersv1.ContainerNetwork{{Name: "front", Addresses: []string{"10.0.0.1"}}}
		}),
		differ("restartPolicy[name]", func(w *world) { w.container().Status.RestartPolicy.Name = "always" }),
		differ("restartCount", func(w *world) { w.container().Status.RestartCount = 1 }),
		differ("imageID", func(w *world) { w.container().Status.ImageID = "" }),
		differ("hostname", func(w *world) { w.container().Status.Hostname = "" }),
		differ("humanSize", func(w *world) { w.image().Status.HumanSize = "1MB" }),
		differ("createdAt", func(w *world) {
			w.container().Status.CreatedAt.Time = w.container().Status.CreatedAt.Add(time.Microsecond)
		}),
		differ("startedAt", func(w *world) { w.container().Status.StartedAt = new(metav1.NowMicro()) }),
		differ("conditions[Running]", func(w *world) {
			c := w.container()
			for i := range c.Status.Conditions {
				c.Status.Conditions[i].Status = metav1.ConditionUnknown
			}
		}),
		differ("ports[80/tcp]", func(w *world) {
			w.container().Status.Ports = []containersv1.Port{{ContainerPort: 80, Protocol: "tcp"}}
		}),
		differ("repoTag", func(w *world) { w.image().Status.RepoTag += "x" }),
		differ("size", func(w *world) { w.image().Status.Size++ }),
		differ("repoDigests[0]", func(w *world) { w.image().Status.RepoDigests = []string{"sha256:0"} }),
		differ("driver", func(w *world) { w.volume().Status.Driver = "" }),
		differ("containers", func(w *world) { w.network().Status.Containers += 2 }),
		differ("internal", func(w *world) { w.network().Status.Internal = true }),
		differ("ipam[driver]", func(w *world) { w.network().Status.IPAM.Driver = "" }),
		differ("options[o]", func(w *world) { w.volume().Status.Options = map[string]string{"o": ""} }),
	}
}

func refuse(m containersv1.Mirror, conditionType, words string) {
	*m.MirrorConditions() = append(*m.MirrorConditions(), metav1.Condition{
		Type: conditionType, Status: metav1.ConditionFalse, Reason: containersv1.ReasonRefused,
		Message: words, ObservedGeneration: m.GetGeneration(),
	})
}

func TestCheckFindsEachDifference(t *testing.T) {
	for _, p := range plants() {
		t.Run(p.name, func(t *testing.T) {
			sim := furnished(t)
			w := &world{sim, faithful(t, sim.Endpoint())}
			p.do(w)
			found := check(t, FromEndpoint(sim.Endpoint(), ""), w.mirrors)
			got := map[Problem]bool{}
			field := false
			for _, d := range found {
				got[d.Problem] = true
				field = field || d.Field == p.field
				if d.Pending() && d.Age < 30*time.Minute {
					t.Errorf("the age is %s, want an hour", d.Age)
				}
				if text := d.String(); !strings.Contains(text, d.Name) {
					t.Errorf("the text does not name the resource: %s", text)
				}
			}
			if p.name == "repoTag" {
				delete(got, WrongName) // the name follows from the tag
			}
			want := map[Problem]bool{}
			for _, problem := range p.want {
				want[problem] = true
			}
			if !maps.Equal(got, want) || (p.want != nil && !field) {
				t.Errorf("found %v, want %v at %q", found, p.want, p.field)
			}
		})
	}
}

func TestCheckUnreadableObjectIsOneDifference(t *testing.T) {
	sim := furnished(t)
	mirrors := faithful(t, sim.Endpoint())
	id := sim.ContainerIDs()[0]
	sim.Inject("GET /containers/"+id+"/json", dockersim.Fault{Status: 500, Message: "no idea"})
	found := check(t, FromEndpoint(sim.Endpoint(), ""), mirrors)
	if len(found) != 1 || found[0].Problem != Unread || !strings.Contains(found[0].Engine, "no idea") {
		t.Errorf("found %v", found)
	}
}

func TestCheckWithoutEngineFails(t *testing.T) {
	sim := furnished(t)
	if err := sim.Refuse(); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(t.Context(), FromEndpoint(sim.Endpoint(), ""), fixed(nil)); err == nil {
		t.Error("no error")
	}
	if _, err := Check(t.Context(), FromEndpoint("ssh://host", ""), fixed(nil)); err == nil {
		t.Error("no error for an endpoint with an unsupported scheme")
	}
}
