package supervisor

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// populated starts an engine with objects of all kinds.
func populated(t *testing.T) *dockersim.Engine {
	t.Helper()
	sim := dockersim.Start(t)
	sim.Populate(20, 10, 10)
	return sim
}

func TestHubMirrorsEngine(t *testing.T) {
	sim := populated(t)
	j := join(t, machineName(t), sim)
	j.exact()
	j.reaches(appv1.ReasonHubSynced)
	j.eventually("the status of the Machine", func() error {
		m := &hubv1.Machine{}
		if err := j.server.Admin().Get(t.Context(), client.ObjectKey{Name: j.machine}, m); err != nil {
			return err
		}
		if m.Status.Driver != string(appv1.DriverExternal) || m.Status.Engine.Version == "" {
			return fmt.Errorf("status %+v", m.Status)
		}
		return nil
	})

	id := sim.ContainerIDs()[1]
	j.desireOnHub(id, containersv1.StateRunning)
	j.observed(id, containersv1.ContainerRunning)
	j.exact()

	gone := sim.ContainerIDs()[2]
	j.deleteOnHub(gone)
	j.eventually("the container to be removed", func() error {
		if slices.Contains(sim.ContainerIDs(), gone) {
			return errors.New("the engine still has it")
		}
		return nil
	})
	j.exact()
}

// hubAway is how long TestHubAwayWithChurn keeps the hub away.
var hubAway = flag.Duration("hub-away", 30*time.Second, "how long TestHubAwayWithChurn keeps the hub away; at least 30s")

// Row H1.
func TestHubAwayWithChurn(t *testing.T) {
	sim := populated(t)
	j := join(t, machineName(t), sim)
	j.exact()
	before := j.hubUIDs()
	j.link.Cut()
	j.reaches(appv1.ReasonHubAway)
	cut, dials := time.Now(), j.link.Dials()
	for i := range 20 {
		sim.AddContainer(fmt.Sprintf("away-%d", i), sim.ImageIDs()[0])
	}
	offline, deleted := sim.ContainerIDs()[3], sim.ContainerIDs()[4]
	j.desireOnHub(offline, containersv1.StateRunning)
	j.deleteOnHub(deleted)
	j.eventually("the local mirrors to equal the engine", func() error { return j.isExact(j.Client) })
	waitUntil(t, cut.Add(*hubAway))
	// The first pauses are shorter than ten seconds.
	if n := j.link.Dials() - dials; n > 8+int((*hubAway-30*time.Second)/(10*time.Second)) {
		t.Errorf("%d dials in %v", n, *hubAway)
	}
	j.link.Restore()
	back := time.Now()
	j.exact()
	if took := time.Since(back); took > 30*time.Second {
		t.Errorf("the hub was exact after %v", took)
	}
	j.observed(offline, containersv1.ContainerRunning)
	delete(before, "Container/"+deleted)
	after := j.hubUIDs()
	for name, uid := range before {
		if after[name] != uid {
			t.Errorf("%s was replaced", name)
		}
	}
	if _, ok := after["Container/"+deleted]; ok {
		t.Error("the delete while the hub was away was not carried out")
	}
}

// Row H2.
func TestHubAwayAtStart(t *testing.T) {
	sim := populated(t)
	server, admin := newHub(t)
	name := machineName(t)
	credentials := addMachine(t, server, name)
	inst := instancetest.At(t, "test")
	link := server.Link()
	link.Hang()
	saveJoin(t, inst, name, link.Via(credentials))
	r := start(t, inst)
	r.connect(sim)
	r.exact(sim)
	j := &joined{running: r, hub: client.NewNamespacedClient(admin, name), machine: name, server: server, link: link, sim: sim}
	j.reaches(appv1.ReasonHubAway)
	link.Restore()
	j.exact()
}

// A daemon that starts again writes no mirror of an unchanged engine.
func TestHubRestartWritesNothing(t *testing.T) {
	sim := populated(t)
	name, inst := machineName(t), instancetest.At(t, "test")
	server, admin := newHub(t)
	credentials := addMachine(t, server, name)
	j := joinAs(t, server, admin, name, credentials, sim, inst)
	j.exact()
	j.reaches(appv1.ReasonHubSynced)
	j.end(true)
	before := j.writes(t.Context())
	if before < 40 {
		t.Fatalf("the audit log has %d writes", before)
	}
	j = joinAs(t, server, admin, name, credentials, sim, inst)
	j.reaches(appv1.ReasonHubSynced)
	j.exact()
	if n := j.writes(t.Context()) - before; n != 0 {
		t.Errorf("%d writes after the restart", n)
	}
}

// Row H3, with one machine.
func TestHubRestarts(t *testing.T) {
	sim := populated(t)
	j := join(t, machineName(t), sim)
	j.exact()
	before := j.writes(t.Context())
	j.server.StopAPIServer()
	j.reaches(appv1.ReasonHubAway)
	j.server.StartAPIServer()
	back := time.Now()
	j.reaches(appv1.ReasonHubSynced)
	t.Logf("synced %v after the return", time.Since(back))
	j.exact()
	if n := j.writes(t.Context()) - before; n != 0 {
		t.Errorf("%d writes of unchanged mirrors", n)
	}
}

// deleteNamespaceByForce deletes the namespace of the machine, without the policy against it.
func (j *joined) deleteNamespaceByForce() *corev1.Namespace {
	j.t.Helper()
	admin := j.server.Admin()
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: "rdd-machine-namespace"}}
	if err := admin.Delete(j.t.Context(), binding); err != nil {
		j.t.Fatal(err)
	}
	j.t.Cleanup(func() { // the test's context has ended
		if err := install.Apply(context.Background(), admin, func(string) {}); err != nil {
			j.t.Error(err)
		}
	})
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: j.machine}}
	j.eventually("the delete of the namespace to be accepted", func() error { return admin.Delete(j.t.Context(), namespace) })
	return namespace
}

// Row H8: the namespace of a machine whose rights stay is deleted by force. The machine lets
// the mirrors go, and keeps its objects.
func TestHubNamespaceDeletedKeepsEngine(t *testing.T) {
	sim := populated(t)
	server, admin := newHub(t)
	name := machineName(t)
	if _, err := machines.Add(t.Context(), admin, name, name); err != nil {
		t.Fatal(err)
	}
	j := joinAs(t, server, admin, name, server.UserConfig(name, "system:masters"), sim, instancetest.At(t, "test"))
	j.exact()
	before := j.objects()
	namespace := j.deleteNamespaceByForce()
	j.eventually("the namespace to be gone", func() error {
		if err := admin.Get(t.Context(), client.ObjectKeyFromObject(namespace), namespace); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it exists (%w), and has %d mirrors", err, len(j.hubUIDs()))
		}
		return nil
	})
	j.hasOnlyEngine(before)
	j.running.eventually("the local mirrors to equal the engine", func() error { return j.isExact(j.Client) })
}

// Row H8: the ServiceAccount of the machine is deleted with the namespace, so an
// administrator completes the removal.
func TestHubNamespaceDeletedWithRights(t *testing.T) {
	sim := populated(t)
	j := join(t, machineName(t), sim)
	j.exact()
	before := j.objects()
	j.deleteNamespaceByForce()
	j.reaches(appv1.ReasonHubUnauthorized)
	j.removeMachine()
	j.hasOnlyEngine(before)
}

// objects counts the objects of the engine.
func (j *joined) objects() string {
	return fmt.Sprintf("%d containers, %d images, %d volumes", len(j.sim.ContainerIDs()), len(j.sim.ImageIDs()), len(j.sim.VolumeNames()))
}

// removeMachine removes the machine from the hub.
func (j *joined) removeMachine() {
	j.t.Helper()
	if err := machines.Remove(j.t.Context(), j.server.Admin(), j.machine, func(string) {}); err != nil {
		j.t.Fatal(err)
	}
}

// hasOnlyEngine fails the test if the hub has a mirror, or the engine not the objects that
// it had before.
func (j *joined) hasOnlyEngine(before string) {
	j.t.Helper()
	if left := j.hubUIDs(); len(left) > 0 {
		j.t.Errorf("%d mirrors are left on the hub", len(left))
	}
	if after := j.objects(); after != before {
		j.t.Errorf("the engine has %s, and had %s", after, before)
	}
}

// Row H8: a machine that is removed while it runs.
func TestHubRemoveKeepsEngine(t *testing.T) {
	sim := populated(t)
	j := join(t, machineName(t), sim)
	j.exact()
	before := j.objects()
	j.removeMachine()
	j.hasOnlyEngine(before)
	j.running.eventually("the local mirrors to equal the engine", func() error { return j.isExact(j.Client) })
}

// Row H12.
func TestHubContradictoryDesiredStates(t *testing.T) {
	sim := populated(t)
	j := join(t, machineName(t), sim)
	j.exact()
	ids := sim.ContainerIDs()
	for i := range 100 {
		id := ids[i%len(ids)]
		j.desireOnHub(id, []containersv1.DesiredState{containersv1.StateRunning, containersv1.StateCreated}[i%2])
		j.desire(id, []containersv1.DesiredState{containersv1.StateCreated, containersv1.StateRunning}[i%2])
	}
	j.exact()
	calls := sim.Calls("POST /containers/{id}/start") + sim.Calls("POST /containers/{id}/stop")
	j.isAtRest(5 * time.Second)
	if n := sim.Calls("POST /containers/{id}/start") + sim.Calls("POST /containers/{id}/stop") - calls; n != 0 {
		t.Errorf("%d calls of the engine at rest", n)
	}
	j.exact()
}
