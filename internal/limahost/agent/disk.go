package agent

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
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/guestagent"
)

// fetch downloads the image of a new disk, if it is not of this machine, into
// Lima's cache. It returns the size in bytes that the image has for its guest, as
// far as that is known.
func (a *agent) fetch(ctx context.Context, pl plan) (int64, error) {
	if pl.keep {
		return 0, nil
	}
	if err := a.checkSpace(pl); err != nil {
		return 0, err
	}
	y := pl.recipe.Config
	var failed []error
	for _, image := range y.Images {
		if image.Arch != *y.Arch {
			continue
		}
		path := image.Location
		if !downloader.IsLocal(path) {
			cached, err := fileutils.DownloadFile(ctx, "", image.File, false, "the image", *y.Arch)
			if err != nil {
				failed = append(failed, err)
				continue
			}
			path = cached
		}
		size, err := diskSize(path)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		return size, nil
	}
	if len(failed) == 0 {
		return 0, fmt.Errorf("the VM has no image for the architecture %s", *y.Arch)
	}
	return 0, fmt.Errorf("fetch the VM's image: %w; check the network, or build an image with 'make vm-image'", errors.Join(failed...))
}

// makeDisk makes the VM's directory with its disk, or brings the one that is
// there up to date. base is the least size of the disk in bytes. What the guest
// reads at its boot is being written when it returns: seed returns when it is.
func (a *agent) makeDisk(ctx context.Context, pl plan, base int64) (inst *store.Instance, seed func() error, err error) {
	agentFile := make(chan unpacked, 1)
	go func() {
		path, err := a.guestAgent(pl)
		agentFile <- unpacked{path, err}
	}()
	err = a.lima.call(func() (err error) {
		if pl.keep {
			inst, err = a.refresh(pl)
		} else {
			inst, err = a.create(ctx, pl)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	grow(inst, base)
	var writing errgroup.Group
	write := func(archive string) {
		writing.Go(func() error {
			u := <-agentFile
			if u.err != nil {
				return u.err
			}
			return a.cidata(inst, u.path, archive)
		})
	}
	// Lima's own engine goes into what the guest reads, so it is fetched before.
	fetches := *inst.Config.Containerd.System || *inst.Config.Containerd.User
	if !fetches {
		write("")
	}
	archive := ""
	err = a.lima.call(func() (err error) {
		archive, err = a.prepare(ctx, inst)
		return err
	})
	if err != nil {
		return nil, nil, errors.Join(err, writing.Wait())
	}
	if fetches {
		write(archive)
	}
	return inst, writing.Wait, nil
}

// unpacked is the file of the guest agent.
type unpacked struct {
	path string
	err  error
}

// guestAgent returns the file of the guest agent; empty for a VM that gets none.
func (a *agent) guestAgent(pl plan) (string, error) {
	if *pl.recipe.Config.Plain {
		return "", nil
	}
	return guestagent.Write(filepath.Join(a.paths.LimaHome, "_guestagent"))
}

// create makes a new directory, in place of an old one.
func (a *agent) create(ctx context.Context, pl plan) (*store.Instance, error) {
	if err := a.beginMaking(); err != nil {
		return nil, err
	}
	if err := filetree.Remove(a.paths.Dir()); err != nil {
		return nil, fmt.Errorf("remove the old VM: %w", err)
	}
	if err := pl.recipe.WriteAround(a.paths); err != nil {
		return nil, err
	}
	inst, err := instance.Create(ctx, limahost.Instance, pl.recipe.Text(), false)
	if err != nil {
		return nil, fmt.Errorf("make the VM: %w", err)
	}
	return inst, nil
}

// refresh brings the directory of a VM up to date.
func (a *agent) refresh(pl plan) (*store.Instance, error) {
	if err := pl.recipe.Write(a.paths); err != nil {
		return nil, err
	}
	inst, err := store.Inspect(limahost.Instance)
	if err == nil {
		err = errors.Join(inst.Errors...)
	}
	if err != nil {
		return nil, fmt.Errorf("read the VM: %w", err)
	}
	return inst, nil
}

// grow sees to it that a disk is not smaller than its image.
func grow(inst *store.Instance, base int64) {
	if inst.Disk < base {
		inst.Disk = base
		inst.Config.Disk = new(strconv.FormatInt(base, 10))
	}
}

// prepare makes the disk, or grows it, and returns where the archive of Lima's
// own engine is, if that is wanted.
func (a *agent) prepare(ctx context.Context, inst *store.Instance) (archive string, err error) {
	// Lima looks for the guest agent beside the program, unless the VM is a plain
	// one. rdd has its own way to bring it there.
	plain, config := *inst, *inst.Config
	config.Plain = new(true)
	plain.Config = &config
	prepared, err := instance.Prepare(ctx, &plain)
	if err != nil {
		return "", fmt.Errorf("make the VM's disk: %w", err)
	}
	return prepared.NerdctlArchiveCache, nil
}

// cidata writes the ISO that the guest reads at its boot.
func (a *agent) cidata(inst *store.Instance, agentFile, archive string) error {
	err := a.lima.call(func() error {
		return cidata.GenerateISO9660(inst.Dir, inst.Name, inst.Config, 0, 0, agentFile, archive, 0, "")
	})
	if err != nil {
		return fmt.Errorf("write what the guest reads at its boot: %w", err)
	}
	return nil
}
