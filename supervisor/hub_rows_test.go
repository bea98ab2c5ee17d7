package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// Row H5: a second machine with the same name, and one that takes over.
func TestHubNameInUse(t *testing.T) {
	first, second := dockersim.Start(t), dockersim.Start(t)
	first.Populate(5, 2, 2)
	second.AddImage("other:1")
	server, admin := newHub(t)
	name := machineName(t)
	credentials := addMachine(t, server, name)
	one := joinAs(t, server, admin, name, credentials, first, instancetest.At(t, "test"))
	one.exact()
	two := joinAs(t, server, admin, name, credentials, second, instancetest.At(t, "test"))
	if state := two.reaches(appv1.ReasonHubHeldByOther); !strings.Contains(state, "rdd hub add") {
		t.Errorf("the state is %s", state)
	}
	one.exact()
	one.link.Cut() // as if the first one were dead
	began := time.Now()
	two.reaches(appv1.ReasonHubSynced)
	if took := time.Since(began); took > 55*time.Second {
		t.Errorf("the takeover took %v", took)
	}
	two.exact()
	one.link.Restore()
	one.reaches(appv1.ReasonHubHeldByOther)
	two.exact()
	if n := len(first.ContainerIDs()); n != 2 {
		t.Errorf("the first engine has %d containers", n)
	}
}

// Row H7: the rights of the machine are removed, and return.
func TestHubRightsRemoved(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 2, 2)
	j := join(t, machineName(t), sim)
	j.exact()
	binding := &rbacv1.RoleBinding{}
	key := client.ObjectKey{Namespace: j.machine, Name: install.MachineRole}
	admin := j.server.Admin()
	if err := admin.Get(t.Context(), key, binding); err != nil {
		t.Fatal(err)
	}
	if err := admin.Delete(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		sim.AddContainer(fmt.Sprintf("refused-%d", i), sim.ImageIDs()[0])
	}
	if state := j.reaches(appv1.ReasonHubRefused); !strings.Contains(state, "cannot") {
		t.Errorf("the state is %s", state)
	}
	j.running.eventually("the local mirrors to equal the engine", func() error { return j.isExact(j.Client) })
	binding.ResourceVersion, binding.UID = "", ""
	if err := admin.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	j.reaches(appv1.ReasonHubSynced)
	j.exact()
}

// Row H7: a quota is reached, and raised.
func TestHubQuotaReached(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 2, 2)
	j := join(t, machineName(t), sim)
	j.exact()
	j.limitContainers("3")
	for i := range 10 {
		sim.AddContainer(fmt.Sprintf("refused-%d", i), sim.ImageIDs()[0])
	}
	if state := j.reaches(appv1.ReasonHubRefused); !strings.Contains(state, "exceeded quota") {
		t.Errorf("the state is %s", state)
	}
	sim.AddVolume("other") // other kinds are mirrored
	j.eventually("the new volume on the hub", func() error {
		for name := range j.hubUIDs() {
			if strings.HasPrefix(name, "Volume/") && len(j.hubUIDs()) > 0 && j.hasVolume("other") {
				return nil
			}
		}
		return errors.New(j.hubState())
	})
	j.running.eventually("the local mirrors to equal the engine", func() error { return j.isExact(j.Client) })
	j.limitContainers("2000")
	j.reaches(appv1.ReasonHubSynced)
	j.exact()
}

// limitContainers changes the quota of the machine, and waits until the cluster enforces it.
func (j *joined) limitContainers(limit string) {
	j.t.Helper()
	const count = "count/containers.containers.rancherdesktop.io"
	quota := &corev1.ResourceQuota{}
	want, key := resource.MustParse(limit), client.ObjectKey{Name: hubv1.QuotaName}
	j.eventually("the change of the quota", func() error {
		if err := j.hub.Get(j.t.Context(), key, quota); err != nil {
			return err
		}
		quota.Spec.Hard[count] = want
		return j.hub.Update(j.t.Context(), quota)
	})
	j.eventually("the quota to be enforced", func() error {
		if err := j.hub.Get(j.t.Context(), key, quota); err != nil {
			return err
		}
		if got := quota.Status.Hard[count]; !got.Equal(want) {
			return fmt.Errorf("the limit is %s", got.String())
		}
		return nil
	})
}

func (j *joined) hasVolume(name string) bool {
	var list containersv1.VolumeList
	if err := j.hub.List(j.t.Context(), &list); err != nil {
		return false
	}
	for _, v := range list.Items {
		if v.Status.Name == name {
			return true
		}
	}
	return false
}

// Row H9: the definitions on the hub lack a field. Nothing is written at rest, and it is
// said.
func TestHubOlderDefinitions(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 2, 2)
	server, admin := newHub(t)
	t.Cleanup(func() { // t.Context has ended
		if err := install.Apply(context.Background(), admin, func(string) {}); err != nil {
			t.Error(err)
		}
	})
	definition := &apiextensionsv1.CustomResourceDefinition{}
	key := client.ObjectKey{Name: "containers.containers.rancherdesktop.io"}
	if err := admin.Get(t.Context(), key, definition); err != nil {
		t.Fatal(err)
	}
	status := definition.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"]
	delete(status.Properties, "hostname")
	if err := admin.Update(t.Context(), definition); err != nil {
		t.Fatal(err)
	}
	name := machineName(t)
	j := joinAs(t, server, admin, name, addMachine(t, server, name), sim, instancetest.At(t, "test"))
	if state := j.reaches(appv1.ReasonHubSynced); !strings.Contains(state, "status.hostname") || !strings.Contains(state, "rdd hub install") {
		t.Errorf("the state is %s", state)
	}
	j.isAtRest(5 * time.Second)
	id := sim.ContainerIDs()[1]
	j.desireOnHub(id, containersv1.StateRunning)
	j.observed(id, containersv1.ContainerRunning)
}

// isAtRest fails the test if the machine writes mirrors to the hub within a time.
func (j *joined) isAtRest(within time.Duration) {
	j.t.Helper()
	before := j.writes(j.t.Context())
	waitUntil(j.t, time.Now().Add(within))
	if n := j.writes(j.t.Context()) - before; n != 0 {
		j.t.Errorf("%d writes in %v of rest", n, within)
	}
}

// waitUntil waits for a time at which something must not have happened.
func waitUntil(t testing.TB, at time.Time) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	case <-time.After(time.Until(at)):
	}
}

// Row H10: the hub returns with yesterday's data.
func TestHubRestoredFromBackup(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 3, 2)
	j := join(t, machineName(t), sim)
	j.exact()
	started, deleted := sim.ContainerIDs()[1], sim.ContainerIDs()[2]
	j.link.Cut()
	j.desireOnHub(started, containersv1.StateRunning)
	backup := j.server.Backup() // before the desired state is applied
	j.link.Restore()
	j.observed(started, containersv1.ContainerRunning)
	j.deleteOnHub(deleted)
	j.exact()
	sim.AddContainer("later", sim.ImageIDs()[0])
	j.exact()
	if err := sim.StopContainer(t.Context(), started); err != nil {
		t.Fatal(err)
	}
	j.exact()
	j.server.Restore(backup)
	j.exact()
	j.reaches(appv1.ReasonHubSynced)
	j.isAtRest(5 * time.Second)
	j.exact()
	c := j.container(started)
	if c.Status.Status == containersv1.ContainerRunning {
		t.Error("a desired state that was applied before the backup returned was applied again")
	}
}

// Row H13: objects that the hub refuses cost those objects.
func TestHubRefusedObject(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 2, 2)
	j := join(t, machineName(t), sim)
	j.exact()
	sim.AddContainerSpec(dockersim.ContainerSpec{Name: "large", Image: sim.ImageIDs()[0], Labels: map[string]string{"large": strings.Repeat("x", 4<<20)}})
	id := sim.AddContainer("small", sim.ImageIDs()[0])
	j.eventually("the small container on the hub", func() error {
		c := j.onHub(id)
		return j.hub.Get(t.Context(), client.ObjectKeyFromObject(c), c)
	})
}

// Row H15: what machines and users may not do on the hub.
func TestHubForbids(t *testing.T) {
	sim := dockersim.Start(t)
	sim.Populate(5, 2, 2)
	server, admin := newHub(t)
	name, other := machineName(t), machineName(t)+"-other"
	credentials := addMachine(t, server, name)
	addMachine(t, server, other)
	j := joinAs(t, server, admin, name, credentials, sim, instancetest.At(t, "test"))
	j.exact()
	machine, err := client.New(credentials, client.Options{Scheme: admin.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	volume := &containersv1.Volume{ObjectMeta: metav1.ObjectMeta{Namespace: other, Name: "vol-forged"}}
	if err := machine.Create(t.Context(), volume); !apierrors.IsForbidden(err) {
		t.Errorf("a mirror in the namespace of another machine: %v", err)
	}
	var list containersv1.ContainerList
	if err := machine.List(t.Context(), &list, client.InNamespace(other)); !apierrors.IsForbidden(err) {
		t.Errorf("a list in the namespace of another machine: %v", err)
	}
	c := j.onHub(sim.ContainerIDs()[0])
	if err := admin.Get(t.Context(), client.ObjectKeyFromObject(c), c); err != nil {
		t.Fatal(err)
	}
	c.Status.Status = containersv1.ContainerRunning
	if err := admin.Status().Update(t.Context(), c); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "status") {
		t.Errorf("a forged status: %v", err)
	}
	strip := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
	if err := admin.Patch(t.Context(), j.onHub(sim.ContainerIDs()[0]), strip); err == nil {
		t.Error("an administrator removed the finalizer")
	}
	if err := admin.Delete(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "rdd hub remove") {
		t.Errorf("a delete of the namespace: %v", err)
	}
}

// A machine cannot read the Machine of another one whose name it knows, and what it is refused
// shows nothing of it. It reports its own state without a right to read it.
func TestHubHidesOtherMachines(t *testing.T) {
	sim := dockersim.Start(t)
	server, admin := newHub(t)
	name, other := machineName(t), machineName(t)+"-other"
	credentials := addMachine(t, server, name)
	addMachine(t, server, other)
	const hidden = "v0.0.0-hidden"
	setVersion := client.RawPatch(types.MergePatchType, []byte(`{"status":{"version":"`+hidden+`"}}`))
	target := func(name string) *hubv1.Machine { return &hubv1.Machine{ObjectMeta: metav1.ObjectMeta{Name: name}} }
	if err := admin.Status().Patch(t.Context(), target(other), setVersion); err != nil {
		t.Fatal(err)
	}
	j := joinAs(t, server, admin, name, credentials, sim, instancetest.At(t, "test"))
	j.exact()
	j.eventually("the machine to report its state", func() error {
		own := target(name)
		if err := admin.Get(t.Context(), client.ObjectKeyFromObject(own), own); err != nil {
			return err
		}
		if !meta.IsStatusConditionTrue(own.Status.Conditions, hubv1.ConditionSynced) {
			return fmt.Errorf("the status is %+v; %s", own.Status, j.hubState())
		}
		return nil
	})
	machine, err := client.New(credentials, client.Options{Scheme: admin.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	object := target(other)
	for what, try := range map[string]func() error{
		"read": func() error { return machine.Get(t.Context(), client.ObjectKeyFromObject(object), object) },
		"list": func() error { return machine.List(t.Context(), &hubv1.MachineList{}) },
		"patch without a change": func() error {
			return machine.Status().Patch(t.Context(), object, client.RawPatch(types.MergePatchType, []byte("{}")))
		},
		"patch": func() error { return machine.Status().Patch(t.Context(), object, setVersion) },
	} {
		err := try()
		if !apierrors.IsForbidden(err) || strings.Contains(err.Error(), hidden) || strings.Contains(err.Error(), hubv1.ServiceAccountUser(other)) {
			t.Errorf("%s of another Machine: %v", what, err)
		}
		if object.UID != "" || object.Status.Version != "" {
			t.Errorf("%s of another Machine returns %+v", what, object)
		}
	}
}
