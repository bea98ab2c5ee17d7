package provision

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/lima-vm/lima/pkg/cidata"
	"github.com/lima-vm/lima/pkg/downloader"
	"github.com/lima-vm/lima/pkg/fileutils"
	"github.com/lima-vm/lima/pkg/instance"
	"github.com/lima-vm/lima/pkg/store"
	"golang.org/x/sync/errgroup"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/guestagent"
)

// FetchImage downloads the image of a new disk into Lima's cache, unless the image is on
// this machine. It returns the minimum size of a disk with this image, in bytes.
func (p *Provisioner) FetchImage(ctx context.Context, plan Plan) (minSize int64, err error) {
	if plan.HasDisk {
		return 0, nil
	}
	if err := p.checkSpace(plan); err != nil {
		return 0, err
	}
	y := plan.Recipe.Config
	var failures []error
	for _, image := range y.Images {
		if image.Arch != *y.Arch {
			continue
		}
		path := image.Location
		if !downloader.IsLocal(path) {
			cached, err := fileutils.DownloadFile(ctx, "", image.File, false, "the image", *y.Arch)
			if err != nil {
				failures = append(failures, err)
				continue
			}
			path = cached
		}
		size, err := diskSize(path)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		return size, nil
	}
	if len(failures) == 0 {
		return 0, fmt.Errorf("the VM's lima.yaml has no image for the architecture %s: add one", *y.Arch)
	}
	return 0, fmt.Errorf("download the VM's image: %w: check the network, or build an image with 'make vm-image'", errors.Join(failures...))
}

// MakeDisk makes the VM's directory with its disk, or updates the existing one. The
// disk has at least minSize bytes. MakeDisk returns while the boot files are still
// being written; bootFiles waits for them.
func (p *Provisioner) MakeDisk(ctx context.Context, plan Plan, minSize int64) (inst *store.Instance, bootFiles func() error, err error) {
	agentFile := make(chan unpacked, 1)
	go func() {
		path, err := p.unpackGuestAgent(plan)
		agentFile <- unpacked{path, err}
	}()
	err = p.Lima.Call(func() (err error) {
		if plan.HasDisk {
			inst, err = p.update(plan)
		} else {
			inst, err = p.create(ctx, plan)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	ensureDiskSize(inst, minSize)
	var writing errgroup.Group
	write := func(archive string) {
		writing.Go(func() error {
			u := <-agentFile
			if u.err != nil {
				return u.err
			}
			return p.writeBootFiles(inst, u.path, archive)
		})
	}
	// The boot files contain Lima's own engine, if it is requested, which is
	// downloaded first.
	hasEngine := *inst.Config.Containerd.System || *inst.Config.Containerd.User
	if !hasEngine {
		write("")
	}
	archive := ""
	err = p.Lima.Call(func() (err error) {
		archive, err = prepareDisk(ctx, inst)
		return err
	})
	if err != nil {
		return nil, nil, errors.Join(err, writing.Wait())
	}
	if hasEngine {
		write(archive)
	}
	return inst, writing.Wait, nil
}

// unpacked is the file of the guest agent.
type unpacked struct {
	path string
	err  error
}

// unpackGuestAgent returns the path of the guest agent's program. It is empty for a
// plain VM, which has no guest agent.
func (p *Provisioner) unpackGuestAgent(plan Plan) (string, error) {
	if *plan.Recipe.Config.Plain {
		return "", nil
	}
	return guestagent.Write(filepath.Join(p.Paths.LimaHome, filename.GuestAgents))
}

// create makes a new directory of the VM, in place of an old one.
func (p *Provisioner) create(ctx context.Context, plan Plan) (*store.Instance, error) {
	if err := p.beginMaking(); err != nil {
		return nil, err
	}
	if err := filetree.Remove(p.Paths.Dir()); err != nil {
		return nil, fmt.Errorf("remove the old VM: %w", err)
	}
	if err := plan.Recipe.WriteOverrides(p.Paths); err != nil {
		return nil, err
	}
	inst, err := instance.Create(ctx, limahost.Instance, plan.Recipe.Text(), false)
	if err != nil {
		return nil, fmt.Errorf("create the VM's directory %s: %w", p.Paths.Dir(), err)
	}
	return inst, nil
}

// update writes the lima.yaml of an existing VM.
func (p *Provisioner) update(plan Plan) (*store.Instance, error) {
	if err := plan.Recipe.Write(p.Paths); err != nil {
		return nil, err
	}
	inst, err := store.Inspect(limahost.Instance)
	if err == nil {
		err = errors.Join(inst.Errors...)
	}
	if err != nil {
		return nil, fmt.Errorf("read the VM's directory %s: %w", p.Paths.Dir(), err)
	}
	return inst, nil
}

// ensureDiskSize raises the size of a VM's disk to minSize.
func ensureDiskSize(inst *store.Instance, minSize int64) {
	if inst.Disk < minSize {
		inst.Disk = minSize
		inst.Config.Disk = new(strconv.FormatInt(minSize, 10))
	}
}

// prepareDisk makes the disk, or grows it. It returns the archive of Lima's own
// engine, if the VM requests it.
func prepareDisk(ctx context.Context, inst *store.Instance) (archive string, err error) {
	// Lima searches the guest agent beside its program, unless the VM is a plain one.
	// rdd embeds the guest agent.
	plain, config := *inst, *inst.Config
	config.Plain = new(true)
	plain.Config = &config
	prepared, err := instance.Prepare(ctx, &plain)
	if err != nil {
		return "", fmt.Errorf("make the VM's disk: %w", err)
	}
	return prepared.NerdctlArchiveCache, nil
}

// writeBootFiles writes the ISO image that the guest reads at its boot.
func (p *Provisioner) writeBootFiles(inst *store.Instance, agentFile, archive string) error {
	err := p.Lima.Call(func() error {
		return cidata.GenerateISO9660(inst.Dir, inst.Name, inst.Config, 0, 0, agentFile, archive, 0, "")
	})
	if err != nil {
		return fmt.Errorf("write the guest's boot image: %w", err)
	}
	return nil
}
