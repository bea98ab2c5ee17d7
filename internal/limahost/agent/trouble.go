package agent

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

const (
	// lowPart and lowBytes are when a guest's disk counts as full: below two
	// percent, or below 200 MB.
	lowPart  = 50
	lowBytes = 200 << 20
	// growWithin is what a guest gets after its boot to take up a disk that is
	// larger than it was.
	growWithin = 5 * time.Minute
	// wakeBytes must be free on the host before a starved machine is let go on.
	wakeBytes = 64 << 20
)

// Texts of troubles have no figures that change while the trouble is the same:
// each change of them is written to the App.

// diskTrouble says that a guest's disk of size bytes is full; empty when it is
// not, and while a guest that has just been booted has not taken up a new size.
func diskTrouble(g *limahost.Guest, size int64) string {
	if g == nil || g.DiskSize == 0 {
		return ""
	}
	low := max(lowBytes, g.DiskSize/lowPart)
	if g.DiskFree >= low {
		return ""
	}
	if g.Uptime < growWithin && g.DiskSize < size/2 {
		return ""
	}
	return fmt.Sprintf("the VM's disk is full: less than %s of %s are free; remove what is not needed, for example with 'docker system prune', or enlarge it with 'rdd set vm.disk=...'",
		bytes(low), bytes(g.DiskSize))
}

// sight is what was found out about a machine whose guest is silent, or that
// said that something is wrong with it.
type sight struct {
	condition condition
	pid       int
	// since when the guest is silent; zero when it is not.
	since time.Time
	// up is whether the guest had answered before.
	up bool
	// dir with the VM's disk on the host, and the bytes that are free there.
	dir  string
	free int64
}

// machineTrouble says what is wrong, and what to do next; empty when nothing is.
func machineTrouble(s sight) string {
	silent := ""
	if !s.since.IsZero() {
		silent = "the guest has not answered since " + s.since.Format(time.TimeOnly) + ": "
	}
	switch s.condition {
	case starved:
		if s.free >= wakeBytes {
			return fmt.Sprintf("%sthe VM was paused because this machine did not take what it wrote to %s; it is tried again, now that there is space", silent, s.dir)
		}
		return fmt.Sprintf("%sthe VM was paused because the disk of this machine is full: less than %s are free in %s; make space there, and it goes on by itself", silent, bytes(wakeBytes), s.dir)
	case paused:
		return silent + "the VM was paused, not by rdd; restart it with 'rdd vm restart'"
	case suspended:
		return fmt.Sprintf("%sQEMU, pid %d, is stopped; let it go on with 'kill -CONT %[2]d'", silent, s.pid)
	case mute:
		if s.up && silent != "" {
			return fmt.Sprintf("%sQEMU, pid %d, does not answer either; it hangs, or this machine is overloaded or was asleep; 'rdd vm restart' restarts it", silent, s.pid)
		}
	case running, unknown:
		if s.up && silent != "" {
			return silent + "its machine runs, so the guest hangs or is overloaded; see 'rdd vm logs', and restart it with 'rdd vm restart'"
		}
	}
	return ""
}

// examine looks at the machine when there is a reason to, says what is wrong, and
// lets a machine go on that waited for space on the host.
func (w *watcher) examine(ctx context.Context) {
	w.mu.Lock()
	since, up, reason := w.silentSince, w.wasUp, w.machineTrouble != "" || w.hinted || !w.connected
	w.hinted = false
	w.mu.Unlock()
	if !reason {
		return
	}
	s := sight{condition: w.machine.look(ctx), pid: w.machine.pid(), since: since, up: up, dir: w.paths.Dir()}
	if ctx.Err() != nil {
		return
	}
	if s.condition == starved {
		s.free, _ = freeSpace(s.dir)
		if s.free >= wakeBytes {
			w.log.Info("letting the machine go on", "free", s.free)
			if err := w.machine.wake(ctx); err != nil {
				w.log.Warn("the machine does not go on", "error", err)
			}
		}
	}
	w.mu.Lock()
	// It may have come back meanwhile.
	if w.connected && (s.condition == running || s.condition == mute) {
		s.since = time.Time{}
	}
	w.machineTrouble = machineTrouble(s)
	w.mu.Unlock()
	w.tell()
}

// tell puts what is wrong on the board, the worst only.
func (w *watcher) tell() {
	w.telling.Lock()
	defer w.telling.Unlock()
	w.mu.Lock()
	answers, trouble, note := w.answers, w.machineTrouble, w.portNote
	if trouble == "" {
		trouble = w.socketTrouble
	}
	w.mu.Unlock()
	if w.note != "" && note != "" {
		note = joinNotes([]string{w.note, note})
	}
	w.board.update(func(s *limahost.Status) {
		s.Answers, s.Trouble, s.Note = answers, trouble, cmp.Or(note, w.note)
		if s.Trouble == "" {
			s.Trouble = diskTrouble(s.Guest, s.Spec.Disk)
		}
	})
}
