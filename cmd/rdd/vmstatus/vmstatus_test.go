package vmstatus

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/limahosttest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// machine creates a VM with a disk. With a status it has a host agent that reports
// it; an agent with a status of revision 0 hangs.
func machine(t *testing.T, status *limahost.Status) limahost.Paths {
	t.Helper()
	paths := limahost.Paths{LimaHome: testkit.ShortDir(t)}
	switch {
	case status == nil:
		if err := os.MkdirAll(paths.Dir(), 0o700); err != nil {
			t.Fatal(err)
		}
	case status.Revision == 0:
		limahosttest.Agent(t, paths, nil)
	default:
		limahosttest.Agent(t, paths, status)
	}
	return paths
}

func TestInspectState(t *testing.T) {
	ready := limahost.Status{Revision: 1, Phase: limahost.PhaseReady, Answers: true, MachinePID: 7}
	silent, booting := ready, ready
	silent.Answers, booting.Phase = false, limahost.PhaseBoot
	for name, test := range map[string]struct {
		status *limahost.Status
		want   State
	}{
		"stopped":         {nil, StateStopped},
		"silent agent":    {&limahost.Status{}, StateHung},
		"ready":           {&ready, StateRunning},
		"silent guest":    {&silent, StateHung},
		"booting machine": {&booting, StateStarting},
	} {
		t.Run(name, func(t *testing.T) {
			paths := machine(t, test.status)
			got, err := Inspect(t.Context(), "i", paths)
			if err != nil || got.State != test.want {
				t.Errorf("%+v, %v; want %s", got, err, test.want)
			}
			if test.status != nil && got.PID != os.Getpid() {
				t.Errorf("agent %d, want %d", got.PID, os.Getpid())
			}
			if (got.Error != "") != (test.want == StateHung && test.status.Revision == 0) {
				t.Errorf("error %q", got.Error)
			}
		})
	}
	if got, err := Inspect(t.Context(), "i", limahost.Paths{LimaHome: t.TempDir()}); err != nil || got.State != StateNone {
		t.Errorf("no files: %+v, %v", got, err)
	}
}

func TestReportJSONInlinesAgentStatus(t *testing.T) {
	paths := machine(t, &limahost.Status{
		Revision: 1, PID: 5, Phase: limahost.PhaseReady, MachinePID: 7, Acceleration: "tcg", Answers: true,
		Phases: []limahost.PhaseTime{{Phase: limahost.PhaseBoot, Took: time.Second}},
	})
	got, err := Inspect(t.Context(), "i", paths)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"state":"running"`, `"machinePID":7`, `"acceleration":"tcg"`, `"phases":[{"phase":"boot","took":1000000000}]`, `"answers":true`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s has no %s", text, want)
		}
	}
}

func TestRows(t *testing.T) {
	now := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	running := Report{
		Instance: "i", State: StateRunning, PID: 5, MachinePID: 7, SSHConfig: "/h/rdd/ssh.config",
		Status: &limahost.Status{
			Phase: limahost.PhaseReady, StartedAt: now.Add(-time.Hour), Adopted: true, SSHPort: 2222,
			Phases: []limahost.PhaseTime{{Phase: limahost.PhaseImage, Took: 120 * time.Millisecond}, {Phase: limahost.PhaseBoot, Took: 9 * time.Second}},
			Spec:   limahost.Spec{CPUs: 2, Memory: 768 << 20, Disk: 64 << 30},
			Image:  "/img", ImageReason: "it was built", Acceleration: "tcg", AccelerationReason: "/dev/kvm hangs",
			Guest:   &limahost.Guest{At: now.Add(-2 * time.Second), Uptime: 50 * time.Minute, DiskSize: 62 << 30, DiskFree: 3 << 29},
			Trouble: "its disk is full",
		},
	}
	starting := Report{Instance: "i", State: StateStarting, PID: 5, Status: &limahost.Status{Phase: limahost.PhaseBoot, PhaseSince: now.Add(-7 * time.Second)}}
	died := Report{Instance: "i", State: StateStopped, SSHConfig: "/h", LastEnd: &limahost.ExitStatus{At: now.Add(-time.Minute), Error: "QEMU was killed\nlast lines"}}
	forced := Report{Instance: "i", State: StateStopped, LastEnd: &limahost.ExitStatus{At: now, Note: "force was needed"}}
	for _, test := range []struct {
		report Report
		want   string
		not    string
	}{
		{running, "vm=running (host agent 5, QEMU 7)", "phase="},
		{running, "start took=image 0.1s, boot 9.0s", "last end="},
		{running, "(60m), taken over by this host agent", "next="},
		{running, "size=2 CPUs, 768Mi of memory, 64Gi of disk", "error="},
		{running, "image=/img (it was built)", ""},
		{running, "acceleration=tcg (/dev/kvm hangs)", ""},
		{running, "guest=up for 50m, last heartbeat 2.0s ago", ""},
		{running, "guest disk=62Gi, 1.5Gi free", ""},
		{running, "ssh=ssh -F '/h/rdd/ssh.config' lima-rdd (127.0.0.1:2222)", ""},
		{running, "trouble=its disk is full", ""},
		{starting, "phase=boot for 7.0s", "guest="},
		{died, "(60s ago): QEMU was killed\nlast lines", "ssh="},
		{forced, "stopped; force was needed", ""},
		{Report{State: StateNone}, "set running=true vm.driver=lima", "last end="},
		{Report{State: StateUnattended, MachinePID: 7}, "vm=unattended (QEMU 7)", ""},
		{Report{State: StateHung, PID: 5, Error: "no answer"}, "error=no answer", ""},
	} {
		var text strings.Builder
		for _, row := range test.report.Rows(now) {
			if row[1] != "" {
				text.WriteString(row[0] + "=" + row[1] + "\n")
			}
		}
		if !strings.Contains(text.String(), test.want) || (test.not != "" && strings.Contains(text.String(), "\n"+test.not)) {
			t.Errorf("want %q and not %q:\n%s", test.want, test.not, text.String())
		}
	}
}
