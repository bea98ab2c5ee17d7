package supervisor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// containersCRD is the definition of containers.
const containersCRD = "containers.containers.rancherdesktop.io"

// deleteDefinitionByForce deletes a definition, without the policy against it, and waits
// until it is gone.
func (j *joined) deleteDefinitionByForce(name string) {
	j.t.Helper()
	admin := j.server.Admin()
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: metav1.ObjectMeta{Name: "rdd-hub-definitions"}}
	if err := admin.Delete(j.t.Context(), binding); err != nil {
		j.t.Fatal(err)
	}
	definition := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: name}}
	j.eventually("the delete of the definition to be accepted", func() error { return admin.Delete(j.t.Context(), definition) })
	j.eventually("the definition to be gone", func() error {
		if err := admin.Get(j.t.Context(), client.ObjectKeyFromObject(definition), definition); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it exists (%w): %+v", err, definition.Status.Conditions)
		}
		return nil
	})
}

// Row H8: a definition is deleted by force under a running daemon. The mirrors go, no
// object of the engine does, and all is exact when the definition is back. The hub is one of
// its own, because the mirrors of machines that have ended keep a definition.
func TestHubDefinitionDeletedKeepsEngine(t *testing.T) {
	sim := populated(t)
	server := hubtest.Start(t, hubtest.WithControllerManager(), hubtest.WithAuditLog())
	admin := server.Admin()
	if err := install.Apply(t.Context(), admin, func(string) {}); err != nil {
		t.Fatal(err)
	}
	name := machineName(t)
	j := joinAs(t, server, admin, name, addMachine(t, server, name), sim, instancetest.At(t, "test"))
	j.exact()
	before := j.objects()
	j.deleteDefinitionByForce(containersCRD)
	sim.AddContainer("meanwhile", sim.ImageIDs()[0])
	sim.AddVolume("meanwhile")
	j.eventually("other kinds to be mirrored", func() error {
		if !j.hasVolume("meanwhile") {
			return errors.New(j.hubState())
		}
		return nil
	})
	j.eventually("the definition to be named", func() error {
		if state := j.reaches(appv1.ReasonHubRefused); !strings.Contains(state, "rdd hub install") {
			return errors.New(state)
		}
		return nil
	})
	j.running.eventually("the local mirrors to equal the engine", func() error { return j.isExact(j.Client) })
	if n := sim.Calls("DELETE /containers/{id}"); n != 0 {
		t.Errorf("%d containers were removed; the engine had %s", n, before)
	}
	if err := install.Apply(t.Context(), admin, func(string) {}); err != nil {
		t.Fatal(err)
	}
	back := time.Now()
	j.exact()
	j.reaches(appv1.ReasonHubSynced)
	t.Logf("exact %v after the return of the definition", time.Since(back))
	j.isAtRest(5 * time.Second)
}

// changeDefinition changes a definition on the hub until the end of the test.
func changeDefinition(t *testing.T, admin client.Client, name string, change func(*apiextensionsv1.CustomResourceDefinition)) {
	t.Helper()
	t.Cleanup(func() { // t.Context has ended
		if err := install.Apply(context.Background(), admin, func(string) {}); err != nil {
			t.Error(err)
		}
	})
	definition := &apiextensionsv1.CustomResourceDefinition{}
	if err := admin.Get(t.Context(), client.ObjectKey{Name: name}, definition); err != nil {
		t.Fatal(err)
	}
	change(definition)
	if err := admin.Update(t.Context(), definition); err != nil {
		t.Fatal(err)
	}
}

// makeNewer changes a definition as a later version of rdd may.
func makeNewer(definition *apiextensionsv1.CustomResourceDefinition) {
	text := func(value string) apiextensionsv1.JSONSchemaProps {
		return apiextensionsv1.JSONSchemaProps{Type: "string", Default: &apiextensionsv1.JSON{Raw: []byte(value)}}
	}
	version := &definition.Spec.Versions[0]
	fields := version.Schema.OpenAPIV3Schema.Properties
	spec, status := fields["spec"], fields["status"]
	spec.Properties["priority"] = text(`"normal"`)
	state := spec.Properties["state"]
	state.Enum = append(state.Enum, apiextensionsv1.JSON{Raw: []byte(`"paused"`)})
	spec.Properties["state"] = state
	status.Properties["scheduling"] = apiextensionsv1.JSONSchemaProps{
		Type: "object", Default: &apiextensionsv1.JSON{Raw: []byte(`{}`)},
		Properties: map[string]apiextensionsv1.JSONSchemaProps{"class": text(`"shared"`)},
	}
	// Of fields that this version leaves out if they are empty, too.
	for _, name := range []string{"error", "user"} {
		field := status.Properties[name]
		field.Default = &apiextensionsv1.JSON{Raw: []byte(`"none"`)}
		status.Properties[name] = field
	}
	mount := status.Properties["mounts"].Items.Schema.Properties
	for _, name := range []string{"source", "volume"} {
		field := mount[name]
		field.Default = &apiextensionsv1.JSON{Raw: []byte(`"none"`)}
		mount[name] = field
	}
	version.AdditionalPrinterColumns = append(version.AdditionalPrinterColumns,
		apiextensionsv1.CustomResourceColumnDefinition{Name: "Priority", Type: "string", JSONPath: ".spec.priority"})
	later := version.DeepCopy()
	later.Name, later.Storage = "v1beta1", false
	definition.Spec.Versions = append([]apiextensionsv1.CustomResourceDefinitionVersion{*later}, definition.Spec.Versions...)
}

// Row H9: the definitions on the hub are newer. Their defaults cause no writes, and a desired
// state that this version does not know is refused.
func TestHubNewerDefinitions(t *testing.T) {
	for name, isJoined := range map[string]bool{"before the join": false, "while joined": true} {
		t.Run(name, func(t *testing.T) { testNewerDefinitions(t, isJoined) })
	}
}

func testNewerDefinitions(t *testing.T, isJoined bool) {
	sim := dockersim.Start(t)
	sim.Populate(5, 2, 2)
	server, admin := newHub(t)
	if !isJoined {
		changeDefinition(t, admin, containersCRD, makeNewer)
	}
	name := machineName(t)
	j := joinAs(t, server, admin, name, addMachine(t, server, name), sim, instancetest.At(t, "test"))
	if isJoined {
		j.exact()
		changeDefinition(t, admin, containersCRD, makeNewer)
	}
	j.reaches(appv1.ReasonHubSynced)
	id, other := sim.ContainerIDs()[1], sim.ContainerIDs()[0]
	j.desireOnHub(id, containersv1.StateRunning)
	j.observed(id, containersv1.ContainerRunning)
	j.reaches(appv1.ReasonHubSynced)
	j.isAtRest(15 * time.Second)
	j.desireOnHub(id, "paused")
	j.eventually("the refusal of an unknown desired state", func() error {
		c := j.onHub(id)
		if err := j.hub.Get(t.Context(), client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		reached := meta.FindStatusCondition(c.Status.Conditions, containersv1.ConditionStateReached)
		if reached == nil || !strings.Contains(reached.Message, "paused") {
			return fmt.Errorf("status %+v", c.Status)
		}
		return nil
	})
	if c := j.container(id); c.Status.Status != containersv1.ContainerRunning {
		t.Errorf("the container with an unknown desired state is %s", c.Status.Status)
	}
	j.deleteOnHub(other)
	j.eventually("the container to be removed", func() error {
		if n := len(sim.ContainerIDs()); n != 1 {
			return fmt.Errorf("the engine has %d containers", n)
		}
		return nil
	})
}
