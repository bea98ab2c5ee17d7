package vmstatus

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/mounts"
)

// Rows returns the lines that show a VM, as pairs of name and value. A value that
// is not known is empty.
func (r Report) Rows(now time.Time) [][2]string {
	rows := [][2]string{{"instance", r.Instance}, {"vm", r.Summary()}}
	if r.Status != nil {
		rows = append(rows, r.statusRows(now)...)
	}
	ssh := ""
	if r.SSHConfig != "" && r.State != StateStopped {
		ssh = "ssh -F '" + r.SSHConfig + "' " + limahost.SSHHost
		if r.Status != nil && r.SSHPort != 0 {
			ssh += fmt.Sprintf(" (127.0.0.1:%d)", r.SSHPort)
		}
	}
	rows = append(rows, [2]string{"ssh", ssh}, [2]string{"error", r.Error})
	if r.State != StateRunning && r.State != StateStarting {
		rows = append(rows, [2]string{"last end", endText(r.LastEnd, now)})
	}
	return append(rows, [2]string{"next", r.next()})
}

// Summary returns the state and the processes on one line.
func (r Report) Summary() string {
	var processes []string
	if r.PID != 0 {
		processes = append(processes, fmt.Sprintf("host agent %d", r.PID))
	}
	if r.MachinePID != 0 {
		processes = append(processes, fmt.Sprintf("QEMU %d", r.MachinePID))
	}
	if len(processes) == 0 {
		return string(r.State)
	}
	return string(r.State) + " (" + strings.Join(processes, ", ") + ")"
}

func (r Report) statusRows(now time.Time) [][2]string {
	phase, times := string(r.Phase), ""
	if r.Phase == limahost.PhaseReady {
		phase = ""
	} else if !r.PhaseSince.IsZero() {
		phase += " for " + seconds(now.Sub(r.PhaseSince))
	}
	for _, p := range r.Phases {
		times += ", " + string(p.Phase) + " " + seconds(p.Took)
	}
	rows := [][2]string{{"phase", phase}, {"start took", strings.TrimPrefix(times, ", ")}}
	if !r.StartedAt.IsZero() {
		started := r.StartedAt.Local().Format(time.RFC3339) + " (" + duration.HumanDuration(now.Sub(r.StartedAt)) + ")"
		if r.Adopted {
			started += ", taken over by this host agent"
		}
		rows = append(rows, [2]string{"started", started})
	}
	s := r.Spec
	rows = append(rows,
		[2]string{"size", fmt.Sprintf("%s, %s of memory, %s of disk", count(s.CPUs, "CPU"), size(s.Memory), size(s.Disk))},
		[2]string{"mounts", strings.Join(mounts.Texts(s.Mounts), ", ")},
		[2]string{"image", withReason(r.Image, r.ImageReason)},
		[2]string{"acceleration", withReason(r.Acceleration, r.AccelerationReason)},
	)
	if g := r.Guest; g != nil {
		rows = append(rows,
			[2]string{"guest", fmt.Sprintf("up for %s, last heartbeat %s ago", duration.HumanDuration(g.Uptime), seconds(now.Sub(g.At)))},
			[2]string{"guest disk", fmt.Sprintf("%s, %s free", size(g.DiskSize), size(g.DiskFree))})
	}
	return append(rows, [2]string{"note", r.Note}, [2]string{"trouble", r.Trouble})
}

func (r Report) next() string {
	flag := " --instance " + r.Instance
	switch r.State {
	case StateNone:
		return "create one with 'rdd" + flag + " set running=true vm.driver=lima'"
	case StateStopped:
		return "start the VM with 'rdd" + flag + " start'"
	case StateHung:
		return "see 'rdd" + flag + " vm logs', then restart the VM with 'rdd" + flag + " vm restart'"
	case StateUnattended:
		return "start the daemon, which takes the VM over: 'rdd" + flag + " svc start'"
	case StateStarting, StateRunning:
	}
	return ""
}

func endText(end *limahost.ExitStatus, now time.Time) string {
	if end == nil {
		return ""
	}
	text := fmt.Sprintf("%s (%s ago): ", end.At.Local().Format(time.RFC3339), duration.HumanDuration(now.Sub(end.At)))
	switch {
	case end.Error != "":
		return text + end.Error
	case end.Note != "":
		return text + "stopped; " + end.Note
	default:
		return text + "stopped"
	}
}

func withReason(what, why string) string {
	if what == "" || why == "" {
		return what
	}
	return what + " (" + why + ")"
}

// seconds formats a duration in tenths of a second.
func seconds(d time.Duration) string { return fmt.Sprintf("%.1fs", d.Seconds()) }

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// size formats a number of bytes, such as 2Gi or 1.9Gi.
func size(bytes int64) string {
	const mi, gi = 1 << 20, 1 << 30
	text, unit := fmt.Sprintf("%.1f", float64(bytes)/gi), "Gi"
	if bytes < gi {
		text, unit = fmt.Sprintf("%.0f", float64(bytes)/mi), "Mi"
	}
	return strings.TrimSuffix(text, ".0") + unit
}
