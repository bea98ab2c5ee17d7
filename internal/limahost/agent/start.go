package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/lima-vm/lima/pkg/store"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/machine"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/provision"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/record"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/qemu"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// adoptOrStart adopts the running machine, or starts one.
func (a *agent) adoptOrStart(ctx context.Context) (machine.Machine, watch.Guest, error) {
	if p, ok := qemu.Find(a.paths); ok {
		return a.adopt(p)
	}
	// Lima trusts the pid file of a QEMU that has ended, even with a recycled pid.
	if err := os.Remove(a.paths.MachinePidFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, watch.Guest{}, fmt.Errorf("remove the pid file of a QEMU that has ended: %w", err)
	}
	return a.start(ctx)
}

// adopt takes over a QEMU as it runs.
func (a *agent) adopt(p process.Process) (machine.Machine, watch.Guest, error) {
	port := qemu.SSHPort(p.Args())
	if port == 0 {
		return nil, watch.Guest{}, fmt.Errorf("adopt QEMU, pid %d: it forwards no port to the guest's SSH server: run 'rdd stop' and 'rdd start'", p.PID)
	}
	spec := a.cfg.Spec
	if _, err := limahost.Load(a.paths.Current(), &spec); err != nil {
		a.log.Warn("cannot read the spec of the machine; using the configured one", "error", err)
	}
	rec, found, err := record.Load(a.paths)
	if err != nil || !found {
		a.log.Warn("cannot read the machine's record; its engine counts as one that was ready", "error", err)
		rec.Up = true
	}
	g := watch.Guest{SSHPort: port, User: rec.User, Engine: spec.Engine, Up: rec.Up}
	if err := a.lima.Call(func() error {
		inst, err := store.Inspect(limahost.Instance)
		if err == nil {
			g.YAML = inst.Config
		}
		return err
	}); err != nil || g.YAML == nil {
		a.log.Warn("cannot read the machine's lima.yaml; using the default rules for published ports", "error", err)
	} else {
		g.User = *g.YAML.User.Name
	}
	a.log.Info("adopting a running machine", "pid", p.PID, "sshPort", port)
	a.status.Update(func(s *limahost.Status) {
		rec.SetStatus(s)
		s.Spec, s.Adopted, s.MachinePID, s.SSHPort = spec, true, p.PID, port
	})
	a.status.EnterPhase(limahost.PhaseSSH)
	return machine.AdoptQEMU(p, a.paths, a.log), g, nil
}

// start makes the VM's disk, unless there is one, and starts a machine.
func (a *agent) start(ctx context.Context) (machine.Machine, watch.Guest, error) {
	a.status.EnterPhase(limahost.PhaseImage)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	probe := machine.StartProbe(ctx, a.cfg.Spec.Acceleration, filepath.Join(a.paths.LimaHome, filename.Acceleration))
	p := a.provisioner()
	var (
		plan    provision.Plan
		minSize int64
	)
	err := a.lima.Call(func() (err error) {
		if plan, err = p.Plan(); err != nil {
			return err
		}
		minSize, err = p.FetchImage(ctx, plan)
		return err
	})
	if err != nil {
		return nil, watch.Guest{}, err
	}
	rec := plan.Record()
	a.status.Update(rec.SetStatus)
	a.status.EnterPhase(limahost.PhaseDisk)
	inst, bootFiles, err := p.MakeDisk(ctx, plan, minSize)
	if err != nil {
		return nil, watch.Guest{}, err
	}
	return a.launch(ctx, p, probe, rec, inst, bootFiles)
}

// launch starts the machine of a VM with a disk.
func (a *agent) launch(ctx context.Context, p *provision.Provisioner, probe *machine.Probe, rec record.Record, inst *store.Instance, bootFiles func() error) (machine.Machine, watch.Guest, error) {
	acceleration, err := probe.Acceleration(inst.Config)
	if err != nil {
		return nil, watch.Guest{}, errors.Join(err, bootFiles())
	}
	rec.Acceleration, rec.AccelerationReason, rec.StartedAt = acceleration.Name, acceleration.Reason, time.Now()
	if err := p.Commit(rec); err != nil {
		return nil, watch.Guest{}, err
	}
	launcher := machine.Launcher{Paths: a.paths, Lima: a.lima, Status: a.status, Log: a.log}
	m, port, err := launcher.Launch(ctx, inst, rec, bootFiles)
	return m, watch.Guest{SSHPort: port, User: rec.User, Engine: a.cfg.Spec.Engine, YAML: inst.Config}, err
}
