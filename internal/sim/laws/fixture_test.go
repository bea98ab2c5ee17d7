package laws

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/machine"
)

const testGrace = 15 * time.Second

// fixture is a run whose history a test forges: an App that uses the native driver, an
// engine with a container, an image and a volume, and a mirror of each object.
type fixture struct {
	*Laws
	t       testing.TB
	native  *machine.Machine
	lima    *machine.Machine
	mirrors cluster.MirrorClient
	apps    cluster.AppClient
	// container is the ID of the container.
	container string
	broken    []string
}

func (f *fixture) Note(string, string) {}
func (f *fixture) Count(string)        {}
func (f *fixture) Violate(text string) { f.broken = append(f.broken, text) }

// forgery is a history that breaks a law, or almost does.
type forgery struct {
	forge func(*fixture)
	// want is a part of the violation; empty if there is none.
	want string
}

// test forges histories, each in a run of its own, and compares the violations.
func test(t *testing.T, forgeries map[string]forgery) {
	for name, tc := range forgeries {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				if len(f.broken) > 0 {
					t.Fatal("the history is broken before it is forged:", f.broken)
				}
				tc.forge(f)
				found := slices.ContainsFunc(f.broken, func(text string) bool { return strings.Contains(text, tc.want) })
				if tc.want == "" && len(f.broken) > 0 || tc.want != "" && !found {
					t.Errorf("violations %q, want %q", f.broken, tc.want)
				}
			})
		})
	}
}

func newFixture(t testing.TB) *fixture {
	fates, c, p := fate.New(1), cluster.New(), fate.NewProcess()
	client := cluster.NewClient(c, fates, cluster.NewLink(fates), p, func() cluster.WatchRates { return cluster.WatchRates{} })
	f := &fixture{
		t: t, native: machine.New(fates, appv1.DriverNative), lima: machine.New(fates, appv1.DriverLima),
		mirrors: cluster.MirrorClient{Client: client}, apps: cluster.AppClient{Client: client},
	}
	f.Laws = New(f, c, []*machine.Machine{f.native, f.lima}, testGrace)
	f.native.Model.AddImage("app:1")
	f.native.Model.AddVolume("data")
	f.container = f.native.Model.AddContainerSpec(memory.ContainerSpec{Name: "web", Image: "app:1", NoNetwork: true})
	f.must(f.native.Start(machine.Spec{Engine: appv1.EngineMoby}))
	f.must(client.EnsureNamespace(t.Context(), appv1.DefaultNamespace))
	app := &appv1.App{}
	app.Name = appv1.AppName
	f.must(f.apps.Create(t.Context(), app))
	f.cluster.ChangeApp(func(s *appv1.AppSpec) { s.Running = true })
	f.DaemonStarted()
	f.Dialed(f.native)
	f.connect()
	moby := &containersv1.ContainerNamespace{}
	moby.Name, moby.Status.Name = containersv1.MobyNamespace, containersv1.MobyNamespace
	for _, object := range append(f.native.Model.Mirrors(), moby) {
		f.create(object)
	}
	f.observe()
	f.settle()
	// The effects of the start are over.
	time.Sleep(time.Minute)
	return f
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// connect reports a connection with a full sync.
func (f *fixture) connect() {
	f.EngineChanged(Syncing, false)
	f.SessionConnected()
	f.SessionSynced(time.Now())
	f.EngineChanged(Ready, false)
}

// create writes the mirror of an object.
func (f *fixture) create(object containersv1.Mirror) containersv1.Mirror {
	f.t.Helper()
	o := object.CopyMirror()
	o.SetNamespace(appv1.DefaultNamespace)
	o.SetFinalizers(nil)
	if o.MirrorKind().HasFinalizer() {
		o.SetFinalizers([]string{containersv1.Finalizer})
	}
	created, err := f.mirrors.Create(f.t.Context(), o)
	f.must(err)
	return created
}

// mirror returns the mirror of the one object of a kind that users make.
func (f *fixture) mirror(kind containersv1.Kind) containersv1.Mirror {
	f.t.Helper()
	for _, m := range f.cluster.Mirrors() {
		if m.MirrorKind() == kind {
			return m.CopyMirror()
		}
	}
	f.t.Fatalf("no mirror of kind %s", kind)
	return nil
}

func (f *fixture) key(kind containersv1.Kind) cluster.Key { return keyOf(f.mirror(kind)) }

// write changes the status of a mirror, as the daemon does.
func (f *fixture) write(kind containersv1.Kind, change func(containersv1.Mirror)) {
	f.t.Helper()
	m := f.mirror(kind)
	change(m)
	_, err := f.mirrors.UpdateStatus(f.t.Context(), m)
	f.must(err)
}

// object returns the state of the one object of a kind.
func (f *fixture) object(kind containersv1.Kind) containersv1.Mirror {
	f.t.Helper()
	for _, o := range f.native.Model.Mirrors() {
		if o.MirrorKind() == kind {
			return o
		}
	}
	f.t.Fatalf("no object of kind %s", kind)
	return nil
}

// sync writes the present state of an object into its mirror.
func (f *fixture) sync(kind containersv1.Kind) {
	f.t.Helper()
	f.write(kind, func(m containersv1.Mirror) { m.SetStatusFrom(f.object(kind)) })
}

// remove removes a mirror, as the daemon does.
func (f *fixture) remove(kind containersv1.Kind) {
	f.t.Helper()
	_, err := f.mirrors.Remove(f.t.Context(), f.mirror(kind))
	f.must(err)
}

// refuse writes a condition of rdd.
func (f *fixture) refuse(kind containersv1.Kind, condition string) {
	f.t.Helper()
	f.write(kind, func(m containersv1.Mirror) {
		meta.SetStatusCondition(m.MirrorConditions(), metav1.Condition{
			Type: condition, Status: metav1.ConditionFalse, Reason: "Refused", ObservedGeneration: m.GetGeneration(),
		})
	})
}

// observe writes that the desired state was applied.
func (f *fixture) observe() {
	f.t.Helper()
	f.write(containersv1.KindContainer, func(m containersv1.Mirror) {
		m.(*containersv1.Container).Status.ObservedGeneration = m.GetGeneration()
	})
}

// desire sets the desired state of the container, as a user does.
func (f *fixture) desire(state containersv1.DesiredState) {
	key := f.key(containersv1.KindContainer)
	if f.cluster.SetDesiredState(key, state) {
		f.Requested(key)
	}
}

// publish writes the status of the App.
func (f *fixture) publish(change func(*appv1.App)) {
	f.t.Helper()
	app := f.cluster.App().DeepCopy()
	change(app)
	f.must(f.apps.UpdateStatus(f.t.Context(), app))
}

// unsettle publishes that something is still missing.
func (f *fixture) unsettle() {
	f.t.Helper()
	f.publish(func(app *appv1.App) { setCondition(app, appv1.ConditionSettled, metav1.ConditionFalse, "Waiting") })
}

// settle publishes that all is as the spec says.
func (f *fixture) settle() {
	f.t.Helper()
	f.publish(func(app *appv1.App) {
		running, ready, status := appv1.ReasonStopped, appv1.ReasonStopped, metav1.ConditionFalse
		app.Status.VM.Driver = ""
		if app.Spec.Running {
			running, ready, status = appv1.ReasonStarted, appv1.ReasonConnected, metav1.ConditionTrue
			app.Status.VM.Driver = appv1.DriverNative
		}
		if app.Spec.Running && app.Spec.ContainerEngine.Name == appv1.EngineContainerd {
			ready = appv1.ReasonNotApplicable
		}
		setCondition(app, appv1.ConditionRunning, status, running)
		setCondition(app, appv1.ConditionEngineReady, status, ready)
		setCondition(app, appv1.ConditionSettled, metav1.ConditionTrue, appv1.ReasonSettled)
	})
}

func setCondition(app *appv1.App, typ string, status metav1.ConditionStatus, reason string) {
	meta.SetStatusCondition(&app.Status.Conditions, metav1.Condition{
		Type: typ, Status: status, Reason: reason, ObservedGeneration: app.Generation,
	})
}

func (f *fixture) changeSpec(change func(*appv1.AppSpec)) { f.cluster.ChangeApp(change) }

// problems makes a violation of each problem.
func (f *fixture) problems() {
	for _, p := range f.Problems() {
		f.Violate(p)
	}
}

// command sends a command to the engine, and answers it.
func (f *fixture) command(verb string, kind containersv1.Kind, id string) {
	f.Judge(f.native).Command(verb, kind, id)()
}
