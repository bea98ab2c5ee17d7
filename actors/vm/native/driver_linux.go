package native

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// Driver implements vm.Driver.
type Driver struct {
	cfg    Config
	paths  paths
	log    *slog.Logger
	getenv func(string) string
	bounds bounds
}

var _ vm.Driver = (*Driver)(nil)

// New returns the driver of one instance. It changes nothing until Start.
func New(c Config) *Driver {
	d := &Driver{cfg: c, paths: newPaths(c), log: c.Logger, getenv: c.Getenv, bounds: defaultBounds()}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.getenv == nil {
		d.getenv = os.Getenv
	}
	return d
}

// Name implements vm.Driver.
func (d *Driver) Name() appv1.DriverName { return appv1.DriverNative }

// Managed implements vm.Driver: the engine is rdd's own.
func (d *Driver) Managed() bool { return true }

// Available implements vm.Driver.
func (d *Driver) Available(ctx context.Context, spec messages.VMSpec) (string, error) {
	k, err := d.kind(spec.Engine)
	if err != nil {
		return "", err
	}
	if err := k.checkSockets(); err != nil {
		return "", err
	}
	l, err := d.configured(ctx, k, spec)
	if err != nil {
		return "", err
	}
	if k.engine == appv1.EngineMoby && l.wrapper == "" {
		s := load(d.paths.state)
		s.Range = spec.Subnet
		if _, err := d.choose(s); err != nil {
			return "", err
		}
	}
	version, err := l.version(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s found at %s, %s", version, l.program, l.how), nil
}

// Inspect implements vm.Driver.
func (d *Driver) Inspect(context.Context) (vm.Observed, error) {
	s, used := load(d.paths.state), d.lastUsed()
	for _, k := range d.kinds() {
		if p, ok := findEngine(k, s); ok {
			return vm.Observed{Presence: vm.Present, Used: used, Spec: messages.VMSpec{Engine: k.engine, Subnet: s.Range, Settings: s.Settings}, Detail: fmt.Sprintf("%s, pid %d", k.program, p.PID)}, nil
		}
	}
	for _, k := range d.kinds() {
		if left := leftovers(k); len(left) > 0 {
			return vm.Observed{Presence: vm.Broken, Used: used, Spec: messages.VMSpec{Engine: k.engine, Subnet: s.Range, Settings: s.Settings}, Detail: fmt.Sprintf("%s has ended, and %d of its processes still run", k.program, len(left))}, nil
		}
	}
	return vm.Observed{Presence: vm.Absent, Used: used}, nil
}

// lastUsed returns when an engine last used its data, or zero when there is none.
// An empty data directory was made for an engine that failed to start.
func (d *Driver) lastUsed() (last time.Time) {
	for _, k := range d.kinds() {
		if entries, err := os.ReadDir(k.dataDir); err != nil || len(entries) == 0 {
			continue
		}
		for _, path := range []string{k.dataDir, d.paths.state} {
			if info, err := os.Stat(path); err == nil && info.ModTime().After(last) {
				last = info.ModTime()
			}
		}
	}
	return last
}

// Wait implements vm.Driver.
func (d *Driver) Wait(ctx context.Context) error {
	k, p, ok := d.findRunning()
	if !ok {
		return fmt.Errorf("rdd's engine does not run")
	}
	if err := p.Wait(ctx); err != nil {
		return err
	}
	return fmt.Errorf("%s (pid %d) has ended unexpectedly%s", k.program, p.PID, logHint(k))
}

// Ping implements vm.Driver.
func (d *Driver) Ping(ctx context.Context, _ string) (note string, err error) {
	k, p, ok := d.findRunning()
	if !ok {
		return "", fmt.Errorf("rdd's engine does not run")
	}
	err = ping(ctx, k)
	if err != nil && endpointGone(k, err) {
		return "", fmt.Errorf("%w: the socket %s of %s (pid %d) was removed or replaced: %w", vm.ErrEndpointGone, k.socket, k.program, p.PID, err)
	}
	return "", err
}

// findRunning finds the engine that runs, of either kind.
func (d *Driver) findRunning() (kind, process.Process, bool) {
	s := load(d.paths.state)
	for _, k := range d.kinds() {
		if p, ok := findEngine(k, s); ok {
			return k, p, true
		}
	}
	return kind{}, process.Process{}, false
}

func (d *Driver) kind(engine appv1.EngineName) (kind, error) {
	return d.paths.kind(engine, d.cfg.Socket)
}

// kinds returns both engines.
func (d *Driver) kinds() []kind {
	var all []kind
	for _, engine := range []appv1.EngineName{appv1.EngineMoby, appv1.EngineContainerd} {
		if k, err := d.kind(engine); err == nil {
			all = append(all, k)
		}
	}
	return all
}
