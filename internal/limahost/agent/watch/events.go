package watch

import (
	"errors"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/record"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/guest"
)

// event is an observation of another goroutine. The loop calls apply.
type event interface {
	apply(w *watcher)
}

type (
	// sshAnswered: the guest's SSH server answers.
	sshAnswered struct{}
	// attemptFailed: an attempt to reach the guest or its engine failed.
	attemptFailed struct{ err error }
	// connected: there is a connection to the guest.
	connected struct{ conn *guest.Conn }
	// engineReady: the engine answers for the first time.
	engineReady struct{}
	// heartbeat: the guest has sent a heartbeat.
	heartbeat struct{ guest limahost.Guest }
	// portsChanged: note lists the ports that are not published.
	portsChanged struct{ note string }
	// virtiofsdEnded: the process that shares directories with the guest has ended.
	virtiofsdEnded struct{ pid int }
	// disconnected: the connection is closed.
	disconnected struct{ err error }
	// probed: a probe of the machine is complete; nil if it was cancelled.
	probed struct{ observation *observation }
)

func (sshAnswered) apply(w *watcher) {
	if w.Status.Get().Phase == limahost.PhaseBoot {
		w.Status.EnterPhase(limahost.PhaseSSH)
	}
}

func (e attemptFailed) apply(w *watcher) {
	w.Log.Debug("the guest is not reached yet", "error", e.err)
	w.lastFailure = e.err
}

func (e connected) apply(w *watcher) {
	w.Log.Info("connected to the guest")
	f := &w.facts
	f.connected, f.responsive, f.everConnected, f.silentSince, f.observation = true, true, true, time.Time{}, nil
	w.reconnect = nil
	w.connection = w.openConnection(e.conn)
	w.restoreSocket()
	if !w.isReady {
		w.Status.EnterPhase(limahost.PhaseEngine)
	}
}

func (engineReady) apply(w *watcher) {
	// The record must be saved before the user can store data on the disk.
	w.recordReady()
	w.isReady = true
	w.Status.EnterPhase(limahost.PhaseReady)
	w.Log.Info("the engine answers")
	close(w.ready)
}

// recordReady records that the engine of this machine was ready.
func (w *watcher) recordReady() {
	rec, found, err := record.Load(w.Paths)
	if err == nil && (!found || rec.Up) {
		return
	}
	rec.Up, rec.Booted = true, true
	if err == nil {
		err = rec.Save(w.Paths)
	}
	if err != nil {
		w.Log.Error("cannot save the record that the engine was ready", "error", err)
	}
}

func (e heartbeat) apply(w *watcher) { w.facts.guest = &e.guest }

func (e portsChanged) apply(w *watcher) { w.facts.portNote = e.note }

func (e virtiofsdEnded) apply(w *watcher) {
	w.Log.Error("virtiofsd has ended", "pid", e.pid)
	w.facts.virtiofsd = e.pid
}

func (e disconnected) apply(w *watcher) {
	w.Log.Warn("the connection to the guest is closed", "error", e.err)
	w.closeConnection()
	w.lastFailure = e.err
	f := &w.facts
	if f.machineTrouble() == "" {
		// The observation is of a machine whose guest answered.
		f.observation = nil
	}
	f.connected, f.socketTrouble, f.portNote = false, "", ""
	f.silentSince = time.Now()
	if f.guest != nil {
		f.silentSince = f.guest.At
	}
	if errors.Is(e.err, guest.ErrSilent) {
		f.responsive = false
	}
	w.reconnect = time.After(reconnectGrace)
}

func (e probed) apply(w *watcher) {
	w.isProbing = false
	if e.observation != nil {
		w.facts.observation = e.observation
	}
}
