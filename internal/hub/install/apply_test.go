package install_test

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }

var shared = hubtest.NewShared(hubtest.WithControllerManager())

func connect(t *testing.T) client.Client {
	t.Helper()
	return shared.Hub(t).Admin()
}

func apply(t *testing.T, c client.Client) {
	t.Helper()
	if err := install.Apply(t.Context(), c, func(string) {}); err != nil {
		t.Fatal(err)
	}
}

// eventually calls check until it returns nil.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// revisions returns the revision of each object of the hub.
func revisions(t *testing.T, c client.Client) map[string]string {
	t.Helper()
	objects, err := install.Objects("")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, object := range objects {
		got := &unstructured.Unstructured{}
		got.SetGroupVersionKind(object.GroupVersionKind())
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), got); err != nil {
			t.Fatal(err)
		}
		out[object.GetKind()+" "+object.GetName()] = got.GetResourceVersion()
	}
	return out
}

func TestApplyTwiceWritesNothing(t *testing.T) {
	c := connect(t)
	apply(t, c)
	// Controllers of the cluster write the status of new objects.
	eventually(t, func() error {
		before := revisions(t, c)
		apply(t, c)
		if after := revisions(t, c); !maps.Equal(before, after) {
			return errors.New("a second installation changes objects")
		}
		return nil
	})
	if err := install.CheckInstalled(t.Context(), c); err != nil {
		t.Error(err)
	}
}

// An installation removes a policy that an earlier version has installed, and keeps one of
// an administrator.
func TestApplyDeletesOutdatedPolicies(t *testing.T) {
	c := connect(t)
	for name, labels := range map[string]map[string]string{"outdated": {install.ManagedByLabel: install.ManagedBy}, "foreign": nil} {
		policy := &admissionv1.ValidatingAdmissionPolicy{}
		policy.Name, policy.Labels = name, labels
		policy.Spec.Validations = []admissionv1.Validation{{Expression: "true"}}
		policy.Spec.MatchConstraints = &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
			RuleWithOperations: admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule:       admissionv1.Rule{APIGroups: []string{"example.com"}, APIVersions: []string{"*"}, Resources: []string{"*"}},
			},
		}}}
		if err := c.Create(t.Context(), policy); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, c)
	policy := &admissionv1.ValidatingAdmissionPolicy{}
	if err := c.Get(t.Context(), client.ObjectKey{Name: "outdated"}, policy); !apierrors.IsNotFound(err) {
		t.Errorf("an outdated policy was kept: %v", err)
	}
	if err := c.Get(t.Context(), client.ObjectKey{Name: "foreign"}, policy); err != nil {
		t.Errorf("a policy of an administrator was deleted: %v", err)
	}
}

// The controller manager checks the expressions of policies against the schemas.
func TestPoliciesHaveNoTypeErrors(t *testing.T) {
	c := connect(t)
	apply(t, c)
	list := &admissionv1.ValidatingAdmissionPolicyList{}
	eventually(t, func() error {
		if err := c.List(t.Context(), list, client.MatchingLabels{install.ManagedByLabel: install.ManagedBy}); err != nil {
			return err
		}
		for _, policy := range list.Items {
			if policy.Status.ObservedGeneration != policy.Generation || policy.Status.TypeChecking == nil {
				return errors.New(policy.Name + " was not checked yet")
			}
		}
		return nil
	})
	if len(list.Items) == 0 {
		t.Error("there are no policies")
	}
	for _, policy := range list.Items {
		for _, warning := range policy.Status.TypeChecking.ExpressionWarnings {
			t.Errorf("%s, %s: %s", policy.Name, warning.FieldRef, warning.Warning)
		}
	}
}

// A machine may fail to renew its Lease for 30 s, and still hold it.
func TestShortStaleAfterIsRefused(t *testing.T) {
	c := connect(t)
	apply(t, c)
	for after, isAllowed := range map[time.Duration]bool{29 * time.Second: false, 30 * time.Second: true, time.Hour: true} {
		machine := &hubv1.Machine{Spec: hubv1.MachineSpec{User: "u", StaleAfter: &metav1.Duration{Duration: after}}}
		machine.Name = "stale"
		err := c.Create(t.Context(), machine, client.DryRunAll)
		if (err == nil) != isAllowed || err != nil && !strings.Contains(err.Error(), "at least 30s") {
			t.Errorf("%v: %v", after, err)
		}
	}
}

func TestPlainClusterIsNoHub(t *testing.T) {
	hub := hubtest.Start(t)
	c, err := install.Connect(t.Context(), hub.AdminConfig())
	if err != nil {
		t.Fatal(err)
	}
	if err := install.CheckInstalled(t.Context(), c); !errors.Is(err, install.ErrNotInstalled) {
		t.Errorf("the error is %v", err)
	}
}

// An rdd daemon's own API server has no service accounts, and old ones no policies.
func TestUnsuitableServerIsRefused(t *testing.T) {
	for _, test := range []struct {
		serves map[string]string
		want   string
		isOwn  bool
	}{
		{map[string]string{"/api/v1": "namespaces"}, "--context", true},
		{map[string]string{
			"/api/v1": "serviceaccounts", "/apis/rbac.authorization.k8s.io/v1": "clusterroles", "/apis/coordination.k8s.io/v1": "leases",
		}, "Kubernetes 1.30", false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			resource, ok := test.serves[r.URL.Path]
			if !ok {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"v1","resources":[{"name":"` + resource + `","kind":"X"}]}`))
		}))
		_, err := install.Connect(t.Context(), &rest.Config{Host: server.URL})
		server.Close()
		unsuitable, ok := errors.AsType[*install.UnsuitableError](err)
		if !ok || unsuitable.IsOwn != test.isOwn || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.serves, err, test.want)
		}
	}
}
