package main

import (
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/terminal"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/failuretext"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// A part that fails is reported, and the other parts are shown.
func TestStatusShowsOtherPartsIfOneFails(t *testing.T) {
	instancetest.Home(t)
	inst, err := instance.New("")
	if err != nil {
		t.Fatal(err)
	}
	if err := inst.Create(); err != nil {
		t.Fatal(err)
	}
	// Not even root can inspect a VM below a file.
	if err := os.Remove(inst.LimaHome); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(inst.LimaHome, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ := rdd(t, "status")
	for _, want := range []string{"instance:", "stopped", "unavailable", inst.LimaHome} {
		if !strings.Contains(out, want) {
			t.Errorf("%q does not say %q", out, want)
		}
	}
	if code != exitError {
		t.Errorf("exit code %d", code)
	}
}

// view returns the state of a daemon with an App of these conditions.
func view(running bool, conditions ...metav1.Condition) overview {
	v := overview{
		Daemon:  daemonState{lifecycle.Status{Instance: "2", State: lifecycle.StateRunning, PID: 7, Version: "v1"}, "v1"},
		App:     &appState{Generation: 3},
		Mirrors: client.Counts{"containers": 3, "containersRunning": 1, "images": 5},
	}
	v.App.Spec.Running, v.App.Spec.ContainerEngine.Name = running, appv1.EngineMoby
	v.App.Status.VM.Driver, v.App.Status.Engine.Version = appv1.DriverNative, "20.10.24"
	for _, c := range conditions {
		c.ObservedGeneration = 3
		v.App.Status.Conditions = append(v.App.Status.Conditions, c)
	}
	v.Next = v.next()
	return v
}

func of(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message}
}

// without returns the state of a daemon that does not answer.
func without(status lifecycle.Status, engine *engineState) overview {
	v := overview{Daemon: daemonState{status, "v1"}, Engine: engine}
	v.Next = v.next()
	return v
}

const longReason = "starting the engine failed: dockerd ended before it answered\nlast lines of dockerd.log:\nno space left on device"

// states are states of an instance, by name.
func states() map[string]overview {
	three, one := 3, 1
	retry := failuretext.Waiting(longReason, 4, time.Now(), time.Minute)
	again := failuretext.Retrying("starting dockerd", 4, longReason)
	outdated := view(true, of(appv1.ConditionRunning, "True", "Started", ""), of(appv1.ConditionSettled, "True", "Settled", ""))
	outdated.App.Generation = 4
	updated := view(true, of(appv1.ConditionRunning, "True", "Started", ""), of(appv1.ConditionSettled, "True", "Settled", ""))
	updated.Daemon.ClientVersion = "v2"
	updated.Next = updated.next()
	return map[string]overview{
		"stopped":  without(lifecycle.Status{State: lifecycle.StateStopped}, nil),
		"crashed":  without(lifecycle.Status{State: lifecycle.StateStopped, Crashed: 5}, &engineState{"native", "dockerd, pid 12", &three, &one}),
		"kept":     without(lifecycle.Status{State: lifecycle.StateStopped}, &engineState{"lima", "QEMU, pid 12", nil, nil}),
		"hung":     without(lifecycle.Status{State: lifecycle.StateHung, PID: 7, Error: "no answer"}, &engineState{"native", "dockerd, pid 12", &one, &one}),
		"starting": without(lifecycle.Status{State: lifecycle.StateStarting, PID: 7}, nil),
		"deleting": without(lifecycle.Status{State: lifecycle.StateStopped, Doing: "another command (pid 9) is deleting"}, nil),
		"running":  view(true, of(appv1.ConditionRunning, "True", "Started", ""), of(appv1.ConditionSettled, "True", "Settled", "")),
		"idle":     view(false, of(appv1.ConditionRunning, "False", "Stopped", ""), of(appv1.ConditionSettled, "True", "Settled", "")),
		"failed":   view(true, of(appv1.ConditionRunning, "False", appv1.ReasonStartFailed, retry), of(appv1.ConditionSettled, "False", appv1.ReasonStartFailed, "waiting for the engine to run: "+retry)),
		"retrying": view(true, of(appv1.ConditionRunning, "False", appv1.ReasonStarting, again), of(appv1.ConditionSettled, "False", appv1.ReasonStarting, "waiting for the engine to run: "+failuretext.Short(again))),
		"outdated": outdated, "updated": updated,
	}
}

func TestShortStatusIsOneLine(t *testing.T) {
	all := states()
	for name, want := range map[string]string{
		"stopped":  "stopped; next: 'rdd start'",
		"crashed":  "daemon not running, engine still running: dockerd, pid 12; 3 containers, 1 running; next: 'rdd svc start'",
		"kept":     "daemon not running, engine still running: QEMU, pid 12; next: 'rdd svc start'",
		"hung":     "daemon hung (pid 7): the engine is still running: dockerd, pid 12; 1 container, 1 running; next: 'rdd svc restart'",
		"starting": "daemon starting (pid 7)",
		"deleting": "daemon stopped: another command (pid 9) is deleting",
		"running":  "running: moby 20.10.24 with native, 1 of 3 containers running, 5 images",
		"idle":     "stopped; next: 'rdd start'",
		"failed":   "failed: starting the engine failed: dockerd ended before it answered; next: 'rdd start'",
		"retrying": "starting: waiting for the engine to run: starting dockerd (attempt 4); previous error: starting the engine failed: dockerd ended before it answered",
		"outdated": "changing: the daemon has not observed the last change",
		"updated":  "running: moby 20.10.24 with native, 1 of 3 containers running, 5 images; next: 'rdd svc restart'",
	} {
		if got := all[name].line().in(0); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		delete(all, name)
	}
	for name := range all {
		t.Errorf("%s has no test", name)
	}
}

func TestShortStatusKeepsNextStep(t *testing.T) {
	for name, v := range states() {
		l := v.line()
		got := l.in(80)
		isLong := terminal.Width(l.state+"; next: "+l.next) > 80
		if terminal.Width(got) > 80 && !isLong || !strings.HasPrefix(got, l.state) || !strings.HasSuffix(got, l.next) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Each long reason is in the rows once.
func TestStatusShowsReasonOnce(t *testing.T) {
	for _, name := range []string{"failed", "retrying"} {
		text := ""
		for _, row := range states()[name].rows() {
			text += row[0] + "=" + row[1] + "\n"
		}
		for _, once := range []string{"dockerd ended", "no space left"} {
			if strings.Count(text, once) != 1 {
				t.Errorf("%s: %q is not there once:\n%s", name, once, text)
			}
		}
		if !strings.Contains(text, "Settled=False") || !strings.Contains(text, "waiting for the engine to run: see Running\n") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestStatusRowsNameNextStep(t *testing.T) {
	for name, want := range map[string]string{
		"crashed": "daemon=not running: it crashed or was killed (pid 5)\n",
		"kept":    "engine=still running: QEMU, pid 12\n",
		"updated": "note=this rdd has version v2, and the daemon has version v1: 'rdd svc restart'",
		"hung":    "next=restart the daemon, and keep the engine running, with 'rdd svc restart'",
		"stopped": "next=start the engine with 'rdd start'\n",
		"failed":  "next=fix the cause, then retry with 'rdd start'",
	} {
		text := ""
		for _, row := range states()[name].rows() {
			text += row[0] + "=" + row[1] + "\n"
		}
		if !strings.Contains(text, want) {
			t.Errorf("%s: want %q:\n%s", name, want, text)
		}
	}
}
