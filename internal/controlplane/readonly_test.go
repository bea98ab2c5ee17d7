package controlplane_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	containersv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// readOnlyConfig returns the configuration of a client with the read-only token.
func readOnlyConfig(t *testing.T, opts controlplane.Options) *rest.Config {
	t.Helper()
	path := controlplane.TokenPath(opts.TLSDir, controlplane.RoleReadOnly)
	token, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v", path, info.Mode(), err)
	}
	config := userConfig(t, opts)
	config.BearerToken = strings.TrimSpace(string(token))
	return config
}

// accessReview asks whether a client may do something.
func accessReview(t *testing.T, client kubernetes.Interface, attributes authorizationv1.ResourceAttributes) bool {
	t.Helper()
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &attributes}}
	answer, err := client.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Status.Allowed
}

// The read-only token reads and does nothing else, and the reviews say the same.
func TestReadOnlyTokenReads(t *testing.T) {
	opts := controlplanetest.Options(t)
	controlplanetest.StartWith(t, opts)
	admin := dynamicClient(t, userConfig(t, opts))
	must(t, admin, namespaces, newNamespace("seen"))
	must(t, admin, crds, newCRD("example.com", "widgets", "Widget"))
	config := readOnlyConfig(t, opts)
	reader, kube := dynamicClient(t, config), kubeClient(t, config)

	if _, err := reader.Resource(namespaces).Get(t.Context(), "seen", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := reader.Resource(mirrors("containers")).List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Error(err)
	}
	if _, err := reader.Resource(mirrors("containercreaterequests")).List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("requests with an environment: %v", err)
	}
	_, err := reader.Resource(namespaces).Create(t.Context(), newNamespace("new"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "rdd svc config") {
		t.Errorf("create: %v", err)
	}
	for path, want := range map[string]int{"/readyz": http.StatusOK, "/debug/pprof/heap": http.StatusForbidden, controlplane.RotatePath: http.StatusForbidden} {
		var status int
		_ = kube.Discovery().RESTClient().Get().AbsPath(path).MaxRetries(0).Do(t.Context()).StatusCode(&status)
		if status != want {
			t.Errorf("%s: status %d, want %d", path, status, want)
		}
	}
	group := containersv1alpha1.GroupVersion.Group
	if !accessReview(t, kube, authorizationv1.ResourceAttributes{Verb: "watch", Group: group, Resource: "containers", Namespace: "x"}) {
		t.Error("the review denies watch")
	}
	if accessReview(t, kube, authorizationv1.ResourceAttributes{Verb: "get", Group: group, Resource: "containers", Subresource: "exec", Namespace: "x"}) {
		t.Error("the review allows exec")
	}
	testkit.Eventually(t, time.Minute, "the rules to have the user's kind", func() error {
		answer, err := kube.AuthorizationV1().SelfSubjectRulesReviews().Create(t.Context(), &authorizationv1.SelfSubjectRulesReview{
			Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: "default"},
		}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		return checkRules(answer.Status, group)
	})
}

// checkRules checks what a review says about the read-only token.
func checkRules(status authorizationv1.SubjectRulesReviewStatus, group string) error {
	var readable []string
	for _, rule := range status.ResourceRules {
		if slices.Contains(rule.APIGroups, "*") || slices.Contains(rule.Resources, "*") || slices.Contains(rule.Verbs, "*") {
			return fmt.Errorf("a rule has a wildcard: %v", rule)
		}
		for _, resource := range rule.Resources {
			readable = append(readable, resource+"."+rule.APIGroups[0])
		}
	}
	for _, name := range []string{"containers." + group, "containers/log." + group, "widgets.example.com", "namespaces."} {
		if !slices.Contains(readable, name) {
			return fmt.Errorf("%s is missing in %v", name, readable)
		}
	}
	if slices.Contains(readable, "containercreaterequests."+group) || status.Incomplete {
		return fmt.Errorf("%v, incomplete %t", readable, status.Incomplete)
	}
	return nil
}

// A replaced token is refused at once, its watch ends, and the other token stays valid.
func TestRotationRevokesToken(t *testing.T) {
	for _, role := range []controlplane.Role{controlplane.RoleAdmin, controlplane.RoleReadOnly} {
		t.Run(string(role), func(t *testing.T) {
			opts := controlplanetest.Options(t)
			controlplanetest.StartWith(t, opts)
			admin, reader := userConfig(t, opts), readOnlyConfig(t, opts)
			former, other := admin, reader
			if role == controlplane.RoleReadOnly {
				former, other = reader, admin
			}
			watch, err := dynamicClient(t, former).Resource(namespaces).Watch(t.Context(), metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer watch.Stop()
			rotate := func(config *rest.Config, role controlplane.Role) error {
				return kubeClient(t, config).Discovery().RESTClient().Post().AbsPath(controlplane.RotatePath).Param("role", string(role)).Do(t.Context()).Error()
			}
			if err := rotate(admin, "other"); !apierrors.IsBadRequest(err) {
				t.Errorf("unknown role: %v", err)
			}
			if err := rotate(reader, role); !apierrors.IsForbidden(err) {
				t.Errorf("rotation by the read-only token: %v", err)
			}
			if err := rotate(admin, role); err != nil {
				t.Fatal(err)
			}
			for open := true; open; {
				_, open = <-watch.ResultChan()
			}
			list := func(config *rest.Config) error {
				_, err := dynamicClient(t, config).Resource(namespaces).List(t.Context(), metav1.ListOptions{})
				return err
			}
			if err := list(former); !apierrors.IsUnauthorized(err) {
				t.Errorf("the former token: %v", err)
			}
			for name, config := range map[string]*rest.Config{"other": other, "new admin": userConfig(t, opts), "new read-only": readOnlyConfig(t, opts)} {
				if err := list(config); err != nil {
					t.Errorf("%s token: %v", name, err)
				}
			}
		})
	}
}

// If the kubeconfig cannot be written, the former token stays valid, also after a
// restart.
func TestFailedRotationKeepsToken(t *testing.T) {
	opts := controlplanetest.Options(t)
	opts.Kubeconfig = filepath.Join(t.TempDir(), "config", "kubeconfig")
	controlplanetest.StartWith(t, opts)
	config := userConfig(t, opts)
	before, err := os.ReadFile(controlplane.TokenPath(opts.TLSDir, controlplane.RoleAdmin))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Dir(opts.Kubeconfig)); err != nil {
		t.Fatal(err)
	}
	client := kubeClient(t, config)
	err = client.Discovery().RESTClient().Post().AbsPath(controlplane.RotatePath).Param("role", "admin").MaxRetries(0).Do(t.Context()).Error()
	if err == nil {
		t.Fatal("the rotation succeeded without a kubeconfig")
	}
	if _, err := client.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("the former token: %v", err)
	}
	after, err := os.ReadFile(controlplane.TokenPath(opts.TLSDir, controlplane.RoleAdmin))
	if err != nil || string(after) != string(before) {
		t.Errorf("the file has another token: %v", err)
	}
}
