package laws

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
)

// endedWords are the words with which the App reports that its engine has ended.
const endedWords = "the engine ended unexpectedly"

// ended checks that the end of an engine is reported only if it has ended since the App said
// that it runs.
func (l *Laws) ended(write cluster.Write, app *appv1.App) {
	running := meta.FindStatusCondition(app.Status.Conditions, appv1.ConditionRunning)
	if running == nil {
		return
	}
	if running.Status == "True" {
		l.with(func() { l.ran = write.Begun })
		return
	}
	m := l.machine(app.Status.VM.Driver)
	if m == nil || running.Reason != appv1.ReasonStartFailed || !strings.HasPrefix(running.Message, endedWords) {
		return
	}
	// The App can say that an engine runs while the report of its end is on its way.
	if cut := m.Status().Cut; cut.Before(l.lastRan().Add(-engineLag)) {
		l.violateWrite(write, "%s is reported to have ended, and it did so %s ago", m.Name, time.Since(cut))
	}
}

func (l *Laws) lastRan() (at time.Time) {
	l.with(func() { at = l.ran })
	return at
}
