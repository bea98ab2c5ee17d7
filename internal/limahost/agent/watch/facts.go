package watch

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/machine"
)

// facts are all known facts about a machine and its guest.
type facts struct {
	// connected reports whether there is a connection to the guest, everConnected
	// whether there was one, by this agent or an earlier one.
	connected, everConnected bool
	// responsive reports whether the guest counts as one that answers. A connection that
	// is replaced within reconnectGrace makes no difference.
	responsive bool
	// silentSince is when the last sign of life arrived; zero while connected.
	silentSince time.Time
	// guest is the last heartbeat; nil before the first.
	guest *limahost.Guest
	// observation is the result of the last probe. It is nil without a probe since the
	// guest connected, or since it was disconnected from a machine without a fault.
	observation *observation
	// socketTrouble is the reason why the engine's socket does not exist.
	socketTrouble string
	// virtiofsd is the pid of the process that shared directories with the guest, and has
	// ended; 0 while it runs.
	virtiofsd int
	// machineNote is a note on how the machine was made, portNote one on ports that
	// are not published.
	machineNote, portNote string

	// diskSize is the requested size of the guest's disk, in bytes.
	diskSize int64
	// pid is the pid of the machine's process, and dir its directory on the host.
	pid int
	dir string
}

// observation is the result of a probe of a machine.
type observation struct {
	condition machine.Condition
	// free is the free space in the machine's directory, in bytes, of a machine
	// that is OutOfSpace.
	free int64
}

// report is the text for the user.
type report struct {
	trouble, note string
}

// report derives the report from the facts. Of several troubles it reports the worst.
func (f facts) report() report {
	return report{
		trouble: cmp.Or(f.machineTrouble(), f.socketTrouble, f.sharesTrouble(), diskTrouble(f.guest, f.diskSize)),
		note:    strings.Trim(f.machineNote+"; "+f.portNote, "; "),
	}
}

// The texts below have no figures that change while the trouble stays the same,
// because each change of a text is written to the App.

const (
	// minFreeFraction and minFreeBytes are when a guest's disk counts as full: below
	// one fiftieth, or below 200 MiB.
	minFreeFraction = 50
	minFreeBytes    = 200 << 20
	// growTimeout limits the time after a boot in which a guest must grow its file system
	// to the size of an enlarged disk.
	growTimeout = 5 * time.Minute
	// resumeBytes must be free on the host before a machine is resumed that is out
	// of space.
	resumeBytes = 64 << 20
)

// diskTrouble describes the full disk of a guest. size is the requested size of the
// disk. It returns "" for a guest that has just booted on an enlarged disk.
func diskTrouble(g *limahost.Guest, size int64) string {
	if g == nil || g.DiskSize == 0 {
		return ""
	}
	low := max(minFreeBytes, g.DiskSize/minFreeFraction)
	if g.DiskFree >= low || g.Uptime < growTimeout && g.DiskSize < size/2 {
		return ""
	}
	return fmt.Sprintf("the VM's disk is full: less than %s of %s are free: delete what you do not need, for example with 'docker system prune', or enlarge the disk with 'rdd set vm.disk=...'",
		limahost.FormatBytes(low), limahost.FormatBytes(g.DiskSize))
}

// sharesTrouble describes the end of the process that shares directories.
func (f facts) sharesTrouble() string {
	if f.virtiofsd == 0 {
		return ""
	}
	return fmt.Sprintf("the directories of this machine are not available in the VM, because the process that shares them, virtiofsd, pid %d, has ended: restart the VM with 'rdd vm restart'", f.virtiofsd)
}

// machineTrouble describes the fault of a machine, or of a guest that does not
// answer, and the next step.
func (f facts) machineTrouble() string {
	if f.observation == nil {
		return ""
	}
	silent := ""
	if !f.responsive && !f.silentSince.IsZero() {
		silent = "the guest has not answered since " + f.silentSince.Format(time.TimeOnly) + ": "
	}
	switch f.observation.condition {
	case machine.OutOfSpace:
		if f.observation.free >= resumeBytes {
			return fmt.Sprintf("%sthe VM was paused because it could not write to %s; there is space now, and rdd resumes the VM", silent, f.dir)
		}
		return fmt.Sprintf("%sthe VM was paused because the disk of this machine is full: less than %s are free in %s: delete what you do not need there, and rdd resumes the VM",
			silent, limahost.FormatBytes(resumeBytes), f.dir)
	case machine.Paused:
		return silent + "the VM was paused by another program: restart it with 'rdd vm restart'"
	case machine.Suspended:
		return fmt.Sprintf("%sQEMU, pid %d, is stopped: continue it with 'kill -CONT %[2]d'", silent, f.pid)
	case machine.Unresponsive:
		if f.everConnected && silent != "" {
			return fmt.Sprintf("%sQEMU, pid %d, does not answer either; it hangs, or this machine is overloaded or was asleep: restart the VM with 'rdd vm restart'", silent, f.pid)
		}
	case machine.Running, machine.Unknown:
		if f.everConnected && silent != "" {
			return silent + "its machine runs, so the guest hangs or is overloaded: see 'rdd vm logs', or restart the VM with 'rdd vm restart'"
		}
	}
	return ""
}
