package agent

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/recipe"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
)

// plan is what a start is going to do. Making it touches nothing.
type plan struct {
	image  image.Image
	recipe recipe.Recipe
	// keep is whether there is a disk that goes on being used, booted whether it
	// has brought up an engine before.
	keep, booted bool
	// note is what a user should know of it.
	note string
}

// makePlan finds the image and checks all that can be checked beforehand.
func (a *agent) makePlan() (plan, error) {
	spec := a.cfg.Spec
	from, err := image.Find(spec.Image, image.Here())
	was, size, failed := a.existing()
	if failed != nil {
		return plan{}, failed
	}
	other := was != nil && err == nil && !from.Same(was.Image)
	if was == nil || other && !was.Booted {
		return a.planNew(from, err)
	}
	// An image that is gone is missed by nobody whose disk was made from it.
	if err != nil && spec.Image != "" && filepath.Clean(spec.Image) != was.Image.Path {
		return plan{}, err
	}
	pl := plan{image: was.Image, keep: true, booted: was.Booted}
	var notes []string
	if size > spec.Disk {
		notes = append(notes, fmt.Sprintf("the VM's disk stays at %s, it can only grow; 'rdd vm reset' makes a new one", bytes(size)))
		spec.Disk = size
	}
	if other {
		// What would be wrong with it later is said now.
		if _, err := recipe.Read(from, spec, a.paths); err != nil {
			return plan{}, err
		}
		notes = append(notes, fmt.Sprintf("the VM's disk was made from the image %s; 'rdd vm reset' makes a new one from %s", was.Image, from))
	}
	if was.Image.Kind == image.KindBuilt || other {
		pl.recipe, err = recipe.Kept(was.Image, spec, a.paths)
	} else if err == nil {
		pl.recipe, err = recipe.Read(from, spec, a.paths)
	}
	if err != nil {
		return plan{}, err
	}
	if pl.recipe.Note != "" {
		notes = append(notes, pl.recipe.Note)
	}
	pl.note = joinNotes(notes)
	return pl, nil
}

// planNew is the plan for a new disk from an image, which may not have been found.
func (a *agent) planNew(from image.Image, err error) (plan, error) {
	if err != nil {
		return plan{}, err
	}
	pl := plan{image: from}
	if pl.recipe, err = recipe.Read(from, a.cfg.Spec, a.paths); err != nil {
		return plan{}, err
	}
	pl.note = pl.recipe.Note
	return pl, nil
}

// diskSize returns the size that a disk has for its guest. The format of a qcow2
// image is in https://www.qemu.org/docs/master/interop/qcow2.html; any other disk
// is taken for a raw one.
func diskSize(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var header struct {
		Magic, Version    uint32
		BackingOffset     uint64
		BackingLength     uint32
		ClusterBits       uint32
		Size              int64
		EncryptionAndMore [4]byte
	}
	const magic = 0x514649fb
	err = binary.Read(f, binary.BigEndian, &header)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if err == nil && header.Magic == magic {
		if header.Size < 0 {
			return 0, fmt.Errorf("the disk %s is damaged: its header is of more bytes than any disk has; 'rdd vm reset' makes a new one", path)
		}
		return header.Size, nil
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
