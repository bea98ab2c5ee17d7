package agent

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/lima-vm/lima/pkg/driver"
	"github.com/lima-vm/lima/pkg/limayaml"
	"github.com/lima-vm/lima/pkg/store/filenames"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// vzMachine is a machine of Apple's Virtualization framework. It lives in this
// process: the end of the one is that of the other, and nothing can adopt it.
type vzMachine struct {
	driver driver.Driver
	gone   chan struct{}
	once   sync.Once
	why    string
}

// startVZ starts the machine of a prepared driver.
func (a *agent) startVZ(ctx context.Context, d driver.Driver) (*vzMachine, error) {
	// What an agent that was killed left makes Lima believe that a machine runs.
	stale := filepath.Join(a.paths.Dir(), filenames.PIDFile(limayaml.VZ))
	if err := filetree.Remove(stale); err != nil {
		return nil, fmt.Errorf("remove the pid file of the last machine: %w", err)
	}
	var ended chan error
	err := a.lima.call(func() (err error) {
		// The machine ends with its own stop and not with a context.
		ended, err = d.Start(context.WithoutCancel(ctx))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("start the machine: %w", err)
	}
	m := &vzMachine{driver: d, gone: make(chan struct{})}
	go func() {
		err := <-ended
		m.end(fmt.Sprintf("the machine ended: %v", err))
		// Lima has more to say, and nobody to hear it.
		for range ended {
			continue
		}
	}()
	return m, nil
}

func (m *vzMachine) end(why string) {
	m.once.Do(func() {
		m.why = why
		close(m.gone)
	})
}

func (m *vzMachine) pid() int                   { return 0 }
func (m *vzMachine) ended() <-chan struct{}     { return m.gone }
func (m *vzMachine) how() string                { return m.why }
func (m *vzMachine) hint() <-chan struct{}      { return nil }
func (m *vzMachine) networked() <-chan struct{} { return nil }
func (m *vzMachine) close()                     {}

// stop asks the guest, through Lima, which gives it five seconds, as often as
// grace allows. A machine that does not heed it ends with this process.
func (m *vzMachine) stop(ctx context.Context, grace time.Duration) (note string, err error) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	for ctx.Err() == nil {
		asked := make(chan error, 1)
		go func() { asked <- m.driver.Stop(ctx) }()
		select {
		case err := <-asked:
			if err == nil {
				return "", nil
			}
		case <-m.gone:
			return "", nil
		case <-ctx.Done():
		}
	}
	return fmt.Sprintf("the VM was ended by force, as by pulling its plug: the guest did not shut down within %v", grace), nil
}

func (m *vzMachine) force(context.Context, string) error { return nil }

func (m *vzMachine) look(context.Context) condition { return unknown }

func (m *vzMachine) wake(context.Context) error {
	return errors.New("a machine of Apple's framework is never paused by rdd")
}

var _ machine = (*vzMachine)(nil)
