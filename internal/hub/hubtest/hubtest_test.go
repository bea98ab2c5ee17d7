package hubtest

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// limit is how long a condition may take.
const limit = time.Minute

var shared = NewShared(WithControllerManager(), WithAuditLog())

func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == parentArgument {
		os.Exit(parent(os.Args[2]))
	}
	os.Exit(shared.Run(m))
}

func client(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// createNamespace creates a namespace that the test removes.
func createNamespace(t *testing.T, c *kubernetes.Clientset, name string) {
	t.Helper()
	object := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := c.CoreV1().Namespaces().Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := c.CoreV1().Namespaces().Delete(context.Background(), name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
}

func getNamespace(ctx context.Context, c *kubernetes.Clientset, name string) error {
	_, err := c.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	return err
}

// review returns as whom the hub knows the client.
func review(ctx context.Context, c *kubernetes.Clientset) (authenticationv1.UserInfo, error) {
	object, err := c.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return authenticationv1.UserInfo{}, err
	}
	return object.Status.UserInfo, nil
}

func TestKubeconfigHasAllRights(t *testing.T) {
	config, err := clientcmd.BuildConfigFromFlags("", shared.Hub(t).Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	createNamespace(t, client(t, config), "admin")
}

func TestHubRefusesUsersWithoutRights(t *testing.T) {
	h := shared.Hub(t)
	invalid := h.AnonymousConfig()
	invalid.BearerToken = "invalid"
	for name, row := range map[string]struct {
		config *rest.Config
		want   func(error) bool
	}{
		"anonymous":     {h.AnonymousConfig(), apierrors.IsForbidden},
		"invalid token": {invalid, apierrors.IsUnauthorized},
		"user":          {h.UserConfig("alice", "rdd:machines"), apierrors.IsForbidden},
	} {
		if err := getNamespace(t.Context(), client(t, row.config), "default"); !row.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	user, err := review(t.Context(), client(t, h.UserConfig("alice", "rdd:machines")))
	if err != nil {
		t.Fatal(err)
	}
	if user.Username != "alice" || user.Groups[0] != "rdd:machines" {
		t.Errorf("the hub knows the user as %v", user)
	}
}

func TestAPIServerRestartKeepsObjects(t *testing.T) {
	h := shared.Hub(t)
	c := client(t, h.AdminConfig())
	createNamespace(t, c, "kept")
	for name, stop := range map[string]func(){"stop": h.StopAPIServer, "kill": h.Kill} {
		stop()
		if err := getNamespace(t.Context(), c, "kept"); err == nil || apierrors.ReasonForError(err) != metav1.StatusReasonUnknown {
			t.Errorf("%s: the API server still answers: %v", name, err)
		}
		h.StartAPIServer()
		if err := getNamespace(t.Context(), c, "kept"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRestoreReturnsToBackup(t *testing.T) {
	h := shared.Hub(t)
	c := client(t, h.AdminConfig())
	createNamespace(t, c, "before")
	backup := h.Backup()
	createNamespace(t, c, "after")
	h.Restore(backup)
	if err := getNamespace(t.Context(), c, "before"); err != nil {
		t.Error(err)
	}
	if err := getNamespace(t.Context(), c, "after"); !apierrors.IsNotFound(err) {
		t.Errorf("an object that is younger than the backup: %v", err)
	}
	h.Restore(t.TempDir())
	if err := getNamespace(t.Context(), c, "before"); !apierrors.IsNotFound(err) {
		t.Errorf("an object of an earlier cluster: %v", err)
	}
}

func TestBackupOfStoppedHubLeavesItStopped(t *testing.T) {
	h := shared.Hub(t)
	h.StopAPIServer()
	h.Backup()
	if err := getNamespace(t.Context(), client(t, h.AdminConfig()), "default"); err == nil {
		t.Error("the API server runs")
	}
}

func TestControllerManagerEmptiesNamespace(t *testing.T) {
	h := shared.Hub(t)
	c := client(t, h.AdminConfig())
	createNamespace(t, c, "emptied")
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "content"}}
	if _, err := c.CoreV1().ConfigMaps("emptied").Create(t.Context(), object, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.CoreV1().Namespaces().Delete(t.Context(), "emptied", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	testkit.EventuallyTrue(t, limit, "the end of the namespace", func() bool {
		return apierrors.IsNotFound(getNamespace(t.Context(), c, "emptied"))
	})
}

func TestAuditEventsHaveRequests(t *testing.T) {
	h := shared.Hub(t)
	if err := getNamespace(t.Context(), client(t, h.UserConfig("audited")), "default"); !apierrors.IsForbidden(err) {
		t.Fatal(err)
	}
	testkit.Eventually(t, limit, "the request in the audit log", func() error {
		for _, e := range h.AuditEvents() {
			if e.User.Username == "audited" && e.Verb == "get" && e.ObjectRef.Resource == "namespaces" && e.ResponseStatus.Code == 403 {
				return nil
			}
		}
		return errors.New("the log lacks it")
	})
}

func TestLinkCutFailsRequests(t *testing.T) {
	link := shared.Hub(t).Link()
	c := client(t, link.Config())
	request := func() error { // client-go does not retry it
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		_, err := review(ctx, c)
		return err
	}
	for range 2 {
		if err := request(); err != nil {
			t.Fatal(err)
		}
	}
	if n := link.Dials(); n != 1 {
		t.Errorf("%d connections for two requests, want 1", n)
	}
	link.Cut()
	before := link.Dials()
	// The first request may still use the connection that was reset.
	testkit.Eventually(t, limit, "a failed request with a connection of its own", func() error {
		err := request()
		if err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a request through a cut link: %v", err)
		}
		if link.Dials() == before {
			return err
		}
		return nil
	})
	link.Restore()
	if err := request(); err != nil {
		t.Errorf("after the restoration: %v", err)
	}
}

func TestLinkCutEndsWatch(t *testing.T) {
	link := shared.Hub(t).Link()
	watch, err := client(t, link.Config()).CoreV1().Namespaces().Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	link.Cut()
	deadline := time.After(limit)
	for {
		select {
		case _, open := <-watch.ResultChan():
			if !open {
				return
			}
		case <-deadline:
			t.Fatal("the watch outlives the cut")
		}
	}
}

// A request that hangs is answered after the restoration, through an old and through a
// new connection.
func TestLinkHangWithholdsAnswers(t *testing.T) {
	link := shared.Hub(t).Link()
	config := link.Config()
	used := client(t, config)
	if err := getNamespace(t.Context(), used, "default"); err != nil {
		t.Fatal(err)
	}
	link.Hang()
	fresh := link.Config()
	fresh.UserAgent, fresh.Dial = "fresh", (&net.Dialer{}).DialContext // with a connection of its own
	answers := make(chan error)
	for _, c := range []*kubernetes.Clientset{used, client(t, fresh)} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if err := getNamespace(ctx, c, "default"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a hanging link answers: %v", err)
		}
		go func() { answers <- getNamespace(t.Context(), c, "default") }()
	}
	link.Restore()
	for range 2 {
		select {
		case err := <-answers:
			if err != nil {
				t.Errorf("after the restoration: %v", err)
			}
		case <-time.After(limit):
			t.Fatal("no answer after the restoration")
		}
	}
}

func TestLaunchNamesFailedProgram(t *testing.T) {
	programs := Require(t)
	_, err := Launch(t.Context(), programs, t.TempDir(), WithAPIServerFlags("--no-such-flag"))
	if err == nil || !strings.Contains(err.Error(), "kube-apiserver ended by itself") || !strings.Contains(err.Error(), "no-such-flag") {
		t.Errorf("Launch = %v", err)
	}
}
