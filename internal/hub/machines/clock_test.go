package machines_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
)

func TestHubClockFollowsAnswers(t *testing.T) {
	date := time.Now().Add(-300 * time.Hour)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", date.UTC().Format(http.TimeFormat))
	}))
	defer server.Close()
	clock := &machines.HubClock{}
	if off := time.Until(clock.Now()).Abs(); off > time.Minute {
		t.Errorf("before the first answer, the clock is off by %v", off)
	}
	response, err := (&http.Client{Transport: clock.Wrap(http.DefaultTransport)}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if off := clock.Now().Sub(date).Abs(); off > time.Minute {
		t.Errorf("the clock is off by %v", off)
	}
}

// The clock of a machine is a year ahead, or behind, and the list shows when its Lease was
// renewed on the clock of the hub.
func TestListIgnoresClockOfMachine(t *testing.T) {
	h := open(t)
	clock := &machines.HubClock{}
	for name, off := range map[string]time.Duration{"clock-ahead": 365 * 24 * time.Hour, "clock-behind": -365 * 24 * time.Hour} {
		h.add(t, name, "")
		at := metav1.NewMicroTime(time.Now().Add(off))
		h.create(t, &coordinationv1.Lease{
			ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: hubv1.LeaseName},
			Spec:       coordinationv1.LeaseSpec{RenewTime: &at, AcquireTime: &at},
		})
		h.report(t, name)
	}
	listed, err := machines.List(t.Context(), h.admin, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, row := range listed {
		if row.Name != "clock-ahead" && row.Name != "clock-behind" {
			continue
		}
		found++
		if row.Reason != hubv1.ReasonConnected || time.Since(row.RenewedAt).Abs() > 30*time.Second {
			t.Errorf("%+v", row)
		}
	}
	if found != 2 {
		t.Errorf("%d rows", found)
	}
}

// report writes the status of a machine that is ready.
func (h hub) report(t *testing.T, name string) {
	t.Helper()
	m := &hubv1.Machine{}
	if err := h.admin.Get(t.Context(), client.ObjectKey{Name: name}, m); err != nil {
		t.Fatal(err)
	}
	meta.SetStatusCondition(&m.Status.Conditions, metav1.Condition{Type: hubv1.ConditionReady, Status: metav1.ConditionTrue, Reason: hubv1.ReasonConnected})
	if err := h.admin.Status().Update(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}
