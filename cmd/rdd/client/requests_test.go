package client

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// pullRequest returns a request with a condition; an empty one is none.
func pullRequest(uid types.UID, condition string) *containersv1.ImagePullRequest {
	r := &containersv1.ImagePullRequest{}
	r.SetGroupVersionKind(r.RequestKind().GroupVersionKind())
	r.Name, r.Namespace, r.UID = "pull", "ns", uid
	r.Status.Message = "no such image"
	if condition != "" {
		meta.SetStatusCondition(&r.Status.Conditions, metav1.Condition{Type: condition, Status: metav1.ConditionTrue, Reason: "Done"})
	}
	return r
}

// Row of the exit codes: a request that fails is an error, in the words of the engine, and a
// later request of the same name is another one.
func TestFollowedRequestHasOutcome(t *testing.T) {
	for name, test := range map[string]struct {
		stored *containersv1.ImagePullRequest
		want   string
	}{
		"complete": {pullRequest("u1", containersv1.ConditionComplete), ""},
		"failed":   {pullRequest("u1", containersv1.ConditionFailed), "no such image"},
		"replaced": {pullRequest("u2", containersv1.ConditionComplete), "was deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(test.stored)
			}))
			defer server.Close()
			c, err := NewForConfig(&rest.Config{Host: server.URL}, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.FollowRequest(t.Context(), pullRequest("u1", ""), func(containersv1.Request) {})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if failed := new(RequestFailedError); errors.As(err, &failed) != (name == "failed") {
				t.Errorf("%T: %v", err, err)
			}
		})
	}
}
