package machine

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

// vzMachine is a machine of Apple's Virtualization framework. It ends with this
// process, and cannot be adopted.
type vzMachine struct {
	driver driver.Driver
	ended  chan struct{}
	once   sync.Once
	cause  string
}

var _ Machine = (*vzMachine)(nil)

// launchVZ starts the machine of a prepared driver.
func (l *Launcher) launchVZ(ctx context.Context, d driver.Driver) (*vzMachine, error) {
	// The pid file of an agent that was killed would make Lima believe that the
	// machine runs.
	stale := filepath.Join(l.Paths.Dir(), filenames.PIDFile(limayaml.VZ))
	if err := filetree.Remove(stale); err != nil {
		return nil, fmt.Errorf("remove the pid file of the last machine: %w", err)
	}
	var ended chan error
	err := l.Lima.Call(func() (err error) {
		// Only Stop ends the machine, and no context.
		ended, err = d.Start(context.WithoutCancel(ctx))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("start the machine: %w", err)
	}
	m := &vzMachine{driver: d, ended: make(chan struct{})}
	go func() {
		err := <-ended
		m.end(fmt.Sprintf("the machine ended: %v", err))
		// Lima blocks unless its further messages are received.
		for range ended {
			continue
		}
	}()
	return m, nil
}

func (m *vzMachine) end(cause string) {
	m.once.Do(func() {
		m.cause = cause
		close(m.ended)
	})
}

func (m *vzMachine) PID() int                   { return 0 }
func (m *vzMachine) Ended() <-chan struct{}     { return m.ended }
func (m *vzMachine) Cause() string              { return m.cause }
func (m *vzMachine) Changed() <-chan struct{}   { return nil }
func (m *vzMachine) NetworkUp() <-chan struct{} { return nil }
func (m *vzMachine) Release()                   {}

// Stop asks the guest to shut down, through Lima, which waits five seconds, as often
// as grace allows. A machine that does not shut down ends with this process.
func (m *vzMachine) Stop(ctx context.Context, grace time.Duration) (note string, err error) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	for ctx.Err() == nil {
		stopped := make(chan error, 1)
		go func() { stopped <- m.driver.Stop(ctx) }()
		select {
		case err := <-stopped:
			if err == nil {
				return "", nil
			}
		case <-m.ended:
			return "", nil
		case <-ctx.Done():
		}
	}
	return fmt.Sprintf("the VM was ended by force, as by pulling its plug: the guest did not shut down within %v", grace), nil
}

func (m *vzMachine) Condition(context.Context) Condition { return Unknown }

func (m *vzMachine) Resume(context.Context) error {
	return errors.New("resume the machine: rdd never pauses a machine of Apple's framework")
}
