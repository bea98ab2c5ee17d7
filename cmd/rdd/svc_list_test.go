package main

import (
	"encoding/json"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

func TestListShowsStoppedInstances(t *testing.T) {
	instancetest.Create(t, "work")
	second, err := instance.New("2")
	if err == nil {
		err = second.Create()
	}
	if err != nil {
		t.Fatal(err)
	}
	code, out, errOut := rdd(t, "svc", "list", "-o", "name")
	if code != exitDone || out != "2\nwork\n" || errOut != "" {
		t.Errorf("%d, %q, %s", code, out, errOut)
	}
	_, out, _ = rdd(t, "svc", "list")
	for i, want := range []string{"NAME DAEMON VERSION ENGINE DISK AUTOSTART", "2 stopped - stopped ", "work stopped - stopped "} {
		lines := strings.Split(out, "\n")
		if got := strings.Join(strings.Fields(lines[i]), " "); !strings.HasPrefix(got, want) {
			t.Errorf("line %d: %q, want %q", i, got, want)
		}
	}
	_, out, _ = rdd(t, "svc", "list", "-o", "json")
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) != 2 || rows[0]["dir"] != second.Dir || rows[0]["diskBytes"].(float64) <= 0 {
		t.Errorf("%v: %s", err, out)
	}
	_, out, _ = rdd(t, "svc", "list", "-o", "yaml")
	if !strings.Contains(out, "name: work") {
		t.Error(out)
	}
}

func TestReportedEngine(t *testing.T) {
	for _, test := range []struct {
		running, ready string
		want           listedEngine
	}{
		{"", "", engineUnknown},
		{appv1.ReasonStopped, appv1.ReasonStopped, engineStopped},
		{appv1.ReasonStarting, appv1.ReasonStopped, engineStarting},
		{appv1.ReasonStarted, appv1.ReasonConnected, engineRunning},
		{appv1.ReasonStarted, appv1.ReasonNotApplicable, engineRunning},
		{appv1.ReasonStarted, appv1.ReasonDisconnected, engineDisconnected},
		{appv1.ReasonStarted, appv1.ReasonConnectFailed, engineDisconnected},
		{appv1.ReasonStopping, appv1.ReasonConnected, engineStopping},
		{appv1.ReasonStartFailed, "", engineFailed},
		{appv1.ReasonStopFailed, "", engineFailed},
		{"Later", "", engineUnknown},
	} {
		var status appv1.AppStatus
		if test.running != "" {
			status.Conditions = append(status.Conditions, metav1.Condition{Type: appv1.ConditionRunning, Reason: test.running})
		}
		if test.ready != "" {
			status.Conditions = append(status.Conditions, metav1.Condition{Type: appv1.ConditionEngineReady, Reason: test.ready})
		}
		if got := reportedEngine(status); got != test.want {
			t.Errorf("%s, %s: %s, want %s", test.running, test.ready, got, test.want)
		}
	}
}

func TestShortVersion(t *testing.T) {
	for version, want := range map[string]string{
		"":                                     "",
		"v1.2.3":                               "v1.2.3",
		"v1.2.3-0.20261129144252-1afbb8d12345": "1afbb8d12345",
		"v0.0.0-20261129144252-1afbb8d12345":   "1afbb8d12345",
		"v0.0.0-20261129144252-1afbb8d12345+dirty": "1afbb8d12345+dirty",
		"(devel)": "(devel)",
	} {
		if got := shortVersion(version); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
	}
}
