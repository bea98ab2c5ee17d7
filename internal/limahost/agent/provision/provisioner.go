package provision

import (
	"errors"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/lima"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/record"
)

// Provisioner makes the disk of one VM.
type Provisioner struct {
	Spec  limahost.Spec
	Paths limahost.Paths
	Lima  *lima.Runtime
	// FreeSpace returns the free bytes in a directory; nil asks the kernel.
	FreeSpace func(dir string) (int64, error)
}

// Check returns an error if a VM cannot be made or started, as far as that can be checked
// in advance.
func (p *Provisioner) Check() error {
	return p.Lima.Call(func() error {
		plan, err := p.Plan()
		if err != nil {
			return err
		}
		return p.checkSpace(plan)
	})
}

// Commit saves the record of the machine, and marks its disk as complete. It is called
// before the machine starts, so that another agent can adopt the machine.
func (p *Provisioner) Commit(rec record.Record) error {
	if err := errors.Join(rec.Save(p.Paths), limahost.Save(p.Paths.Current(), p.Spec)); err != nil {
		return err
	}
	return p.endMaking()
}
