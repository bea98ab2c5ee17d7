package watch

import (
	"context"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/machine"
)

// probeMachine starts a probe of the machine, if there is a reason for one and none
// runs: the machine has reported a change, has a fault, or is not connected.
func (w *watcher) probeMachine(ctx context.Context) {
	if w.isProbing || w.facts.connected && !w.hasHint && w.facts.machineTrouble() == "" {
		return
	}
	w.isProbing, w.hasHint = true, false
	go func() { w.send(probed{w.probe(ctx)}) }()
}

// probe probes the machine, and resumes one that is out of space when there is
// space. It does not access the state of the watcher.
func (w *watcher) probe(ctx context.Context) *observation {
	o := observation{condition: w.machine.Condition(ctx)}
	if ctx.Err() != nil {
		return nil
	}
	if o.condition == machine.OutOfSpace {
		dir := w.Paths.Dir()
		free, err := filetree.FreeSpace(dir)
		if err != nil {
			w.Log.Warn("cannot read the free space", "dir", dir, "error", err)
		}
		o.free = free
		if o.free >= resumeBytes {
			w.Log.Info("resuming the machine", "free", o.free)
			if err := w.machine.Resume(ctx); err != nil {
				w.Log.Warn("cannot resume the machine", "error", err)
			}
		}
	}
	return &o
}
