package machines_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
)

// The machine of a join file can mirror its engine, as soon as the cluster has noticed.
func TestAddedMachineMirrors(t *testing.T) {
	h := open(t)
	began := time.Now()
	added := h.add(t, "mirroring", "")
	if added.Existed || added.User != "system:serviceaccount:mirroring:rdd" || time.Until(added.Expires) < 364*24*time.Hour {
		t.Errorf("the machine is %+v", added)
	}
	c := dynamicClient(t, h.joined(t, added)).Resource(mirrors("containers")).Namespace("mirroring")
	eventually(t, func() error {
		made, err := c.Create(t.Context(), newMirror(containersv1.KindContainer, "mirroring", "one"), metav1.CreateOptions{})
		if err != nil {
			return err
		}
		made.Object["status"] = map[string]any{"name": "web", "status": "running"}
		made, err = c.UpdateStatus(t.Context(), made, metav1.UpdateOptions{})
		if status, ok := made.Object["status"].(map[string]any); err == nil && (!ok || status["name"] != "web") {
			return fmt.Errorf("the status is %v", made.Object["status"])
		}
		return err
	})
	t.Logf("the first mirror was written %v after the start of Add", time.Since(began).Round(time.Millisecond))
}

// A second add repairs a machine, keeps the limits of an administrator, and issues another
// token, while the first one stays valid.
func TestAddAgainRepairs(t *testing.T) {
	h := open(t)
	first := h.add(t, "repaired", "")
	q := &corev1.ResourceQuota{}
	if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: "repaired", Name: hubv1.QuotaName}, q); err != nil {
		t.Fatal(err)
	}
	const count = "count/containers.containers.rancherdesktop.io"
	q.Spec.Hard[count] = resource.MustParse("7")
	if err := h.admin.Update(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	machine := &hubv1.Machine{}
	if err := h.admin.Get(t.Context(), client.ObjectKey{Name: "repaired"}, machine); err != nil {
		t.Fatal(err)
	}
	machine.Spec.StaleAfter = &metav1.Duration{Duration: 5 * time.Minute}
	if err := h.admin.Update(t.Context(), machine); err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{}
	namespace.Name = "repaired"
	damage := client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":{"hub.rancherdesktop.io/user":"x","hub.rancherdesktop.io/emptied":"y"}}}`))
	if err := h.admin.Patch(t.Context(), namespace, damage); err != nil {
		t.Fatal(err)
	}

	second := h.add(t, "repaired", "")
	if !second.Existed || second.Token == first.Token || second.Token == "" {
		t.Errorf("the second add returns %+v", second)
	}
	if err := h.admin.Get(t.Context(), client.ObjectKey{Name: "repaired"}, namespace); err != nil {
		t.Fatal(err)
	}
	if _, isEmptied := namespace.Annotations[hubv1.EmptiedAnnotation]; isEmptied || namespace.Annotations[hubv1.UserAnnotation] != first.User {
		t.Errorf("the annotations are %v", namespace.Annotations)
	}
	if err := h.admin.Get(t.Context(), client.ObjectKeyFromObject(q), q); err != nil || q.Spec.Hard.Name(count, resource.DecimalSI).Value() != 7 {
		t.Errorf("the quota is %v, %v", q.Spec.Hard, err)
	}
	if err := h.admin.Get(t.Context(), client.ObjectKeyFromObject(machine), machine); err != nil || machine.Spec.StaleAfter.Duration != 5*time.Minute || machine.Spec.RemoveAfter.Duration != 24*time.Hour {
		t.Errorf("the Machine is %+v, %v", machine.Spec, err)
	}
	for _, added := range []*machines.Added{first, second} {
		c := dynamicClient(t, h.joined(t, added)).Resource(mirrors("containers")).Namespace("repaired")
		eventually(t, func() error {
			_, err := c.List(t.Context(), metav1.ListOptions{})
			return err
		})
	}
}

// With a user of the cluster there are no token and no ServiceAccount, and the tokens of a
// former one end.
func TestAddWithUserMakesNoToken(t *testing.T) {
	h := open(t)
	before := h.add(t, "withuser", "")
	added := h.add(t, "withuser", "carol")
	if added.Token != "" || added.User != "carol" {
		t.Errorf("the machine is %+v", added)
	}
	former := dynamicClient(t, h.joined(t, before)).Resource(mirrors("containers")).Namespace("withuser")
	carol := dynamicClient(t, h.UserConfig("carol")).Resource(mirrors("containers")).Namespace("withuser")
	eventually(t, func() error {
		_, err := former.List(t.Context(), metav1.ListOptions{})
		return outcome(err, "Unauthorized")
	})
	eventually(t, func() error {
		_, err := carol.Create(t.Context(), newMirror(containersv1.KindContainer, "withuser", "one"), metav1.CreateOptions{})
		return err
	})
	h.checkReporter(t, "withuser", "carol")
	if config := h.joined(t, added); config.BearerToken != "" || config.Host == "" {
		t.Errorf("the join file has the token %q and the server %s", config.BearerToken, config.Host)
	}
}

// checkReporter fails unless a user of the cluster can read and report the state of a machine,
// and cannot report that of another one.
func (h hub) checkReporter(t *testing.T, machine, user string) {
	t.Helper()
	h.add(t, "not-"+machine, "")
	c := dynamicClient(t, h.UserConfig(user))
	for name, want := range map[string]string{machine: "", "not-" + machine: "is written by its own user alone"} {
		eventually(t, func() error { return outcome(patch(machineGVR, "", name, `{}`, "status")(t.Context(), c), want) })
	}
}

func TestAddRefusesForeignNamespace(t *testing.T) {
	h := open(t)
	h.create(t, newNamespace("foreign"))
	for name, want := range map[string]string{
		"foreign":     "is not that of a machine",
		"kube-system": "is not that of a machine",
		"Upper":       "cannot be the name of a machine",
		"a.b":         "cannot be the name of a machine",
	} {
		if _, err := machines.Add(t.Context(), h.admin, name, ""); outcome(err, want) != nil {
			t.Errorf("add %s: %v", name, outcome(err, want))
		}
		if err := h.admin.Get(t.Context(), client.ObjectKey{Name: name}, &hubv1.Machine{}); client.IgnoreNotFound(err) != nil || err == nil {
			t.Errorf("a refused add left the Machine %s, %v", name, err)
		}
		err := machines.Remove(t.Context(), h.admin, name, func(string) {})
		_, none := errors.AsType[*machines.NoMachineError](err)
		if _, invalid := errors.AsType[*machines.NameError](err); !none && !invalid {
			t.Errorf("remove %s: %v", name, err)
		}
	}
	if err := h.admin.Get(t.Context(), client.ObjectKey{Name: "foreign"}, &corev1.Namespace{}); err != nil {
		t.Errorf("the namespace was removed: %v", err)
	}
}

// Administrators who add machines at once lose none in the flow schemas.
func TestConcurrentAddsAreInFlows(t *testing.T) {
	h := open(t)
	var names []string
	for i := range 8 {
		names = append(names, fmt.Sprintf("at-once-%d", i))
	}
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Go(func() {
			if _, err := machines.Add(t.Context(), h.admin, name, ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, name := range names {
		h.add(t, name, "") // which removes it after the test
	}
	for _, name := range install.FlowNames() {
		flow := &flowcontrolv1.FlowSchema{}
		if err := h.admin.Get(t.Context(), client.ObjectKey{Name: name}, flow); err != nil {
			t.Fatal(err)
		}
		var users []string
		for _, rule := range flow.Spec.Rules {
			for _, subject := range rule.Subjects {
				users = append(users, subject.User.Name)
			}
		}
		for _, machine := range names {
			if !slices.Contains(users, hubv1.ServiceAccountUser(machine)) {
				t.Errorf("%s lacks %s: %v", name, machine, users)
			}
		}
	}
	listed, err := machines.List(t.Context(), h.admin, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, row := range listed {
		if strings.HasPrefix(row.Name, "at-once-") && row.Reason == hubv1.ReasonNeverJoined {
			found++
		}
	}
	if found != len(names) {
		t.Errorf("the list has %d of the machines: %+v", found, listed)
	}
}
