package machines_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
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
	for _, name := range append(install.FlowNames(), "rdd-hub-controller-lease") {
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
	h.checkOtherFlows(t, uids)
}

// checkOtherFlows checks the flow schemas of users who are no machines.
func (h hub) checkOtherFlows(t *testing.T, uids map[string]string) {
	t.Helper()
	controller := h.AdminConfig()
	controller.Impersonate.UserName = "system:serviceaccount:rdd-hub:rdd-hub-controller"
	for user, test := range map[string]struct {
		config    *rest.Config
		namespace string
		want      string
	}{
		"an administrator":                  {h.AdminConfig(), "rdd-hub", ""},
		"the controller":                    {controller, "rdd-hub", "rdd-hub-controller-lease"},
		"the controller, for other Leases,": {controller, "flowing-token", ""},
	} {
		recorder := &flowRecorder{}
		test.config.Wrap(func(next http.RoundTripper) http.RoundTripper { recorder.next = next; return recorder })
		c := dynamicClient(t, test.config)
		eventually(t, func() error {
			_ = get(leases, test.namespace, "any")(t.Context(), c) // there is none
			if got := uids[recorder.uid]; got != test.want {
				return fmt.Errorf("%s uses the flow schema %q, want %q", user, got, test.want)
			}
			return nil
		})
	}
}
