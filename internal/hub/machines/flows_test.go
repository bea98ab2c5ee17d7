package machines_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
)

// flowRecorder records the flow schema of the last answer.
type flowRecorder struct {
	next http.RoundTripper
	mu   sync.Mutex
	uid  string
}

func (r *flowRecorder) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.next.RoundTrip(request)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.uid = response.Header.Get(flowcontrolv1.ResponseHeaderMatchedFlowSchemaUID)
	}
	return response, err
}

// The Leases of a machine have a priority of their own, also with a user of the cluster.
func TestRequestsUseFlows(t *testing.T) {
	h := open(t)
	uids := map[string]string{}
	for _, name := range install.FlowNames() {
		flow := &flowcontrolv1.FlowSchema{}
		if err := h.admin.Get(t.Context(), client.ObjectKey{Name: name}, flow); err != nil {
			t.Fatal(err)
		}
		uids[string(flow.UID)] = name
	}
	for name, config := range map[string]*rest.Config{
		"flowing-token": h.joined(t, h.add(t, "flowing-token", "")),
		"flowing-user":  h.UserConfig("flowing"),
	} {
		if name == "flowing-user" {
			h.add(t, name, "flowing")
		}
		recorder := &flowRecorder{}
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { recorder.next = next; return recorder })
		c := dynamicClient(t, config)
		uses := func(want string, try attempt) {
			t.Helper()
			eventually(t, func() error {
				if err := try(t.Context(), c); err != nil {
					return err
				}
				if got := uids[recorder.uid]; got != want {
					return fmt.Errorf("%s: the flow schema is %q, want %q", name, got, want)
				}
				return nil
			})
		}
		uses("rdd-machine-leases", create(leases, newLease(name, "rdd")))
		uses("rdd-machines", list(mirrors("containers"), name))
		uses("rdd-machines", get(namespaces, "", name))
	}
	admin := h.AdminConfig()
	recorder := &flowRecorder{}
	admin.Wrap(func(next http.RoundTripper) http.RoundTripper { recorder.next = next; return recorder })
	_, err := dynamicClient(t, admin).Resource(leases).Namespace("default").List(t.Context(), metav1.ListOptions{})
	if err != nil || uids[recorder.uid] != "" {
		t.Errorf("an administrator uses the flow schema %s, %v", uids[recorder.uid], err)
	}
}
