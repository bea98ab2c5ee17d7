package provision

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/provision/recipe"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/record"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
)

// Plan has the decisions for a start.
type Plan struct {
	Image  image.Image
	Recipe recipe.Recipe
	// HasDisk reports whether the VM has a disk that this start uses.
	HasDisk bool
	// Booted reports whether an engine was ever ready on that disk.
	Booted bool
	// Note is information for the user.
	Note string
}

// Record returns the plan as the beginning of a machine's record.
func (p Plan) Record() record.Record {
	return record.Record{Image: p.Image, Note: p.Note, Booted: p.Booted, User: *p.Recipe.Config.User.Name}
}

// Plan finds the image, and checks all that can be checked before a start. It
// changes nothing.
func (p *Provisioner) Plan() (Plan, error) {
	requested, err := image.Find(p.Spec.Image, image.Here())
	rec, size, diskErr := p.existingDisk()
	if diskErr != nil {
		return Plan{}, diskErr
	}
	changed := rec != nil && err == nil && !requested.Same(rec.Image)
	if rec == nil || changed && !rec.Booted {
		return p.planNewDisk(requested, err)
	}
	// A disk does not need the image that it was made from.
	if err != nil && p.Spec.Image != "" && filepath.Clean(p.Spec.Image) != rec.Image.Path {
		return Plan{}, err
	}
	plan := Plan{Image: rec.Image, HasDisk: true, Booted: rec.Booted}
	spec := p.Spec
	var notes []string
	if size > spec.Disk {
		notes = append(notes, fmt.Sprintf("the VM's disk stays at %s, because a disk can only grow; 'rdd vm reset' makes a new one", limahost.FormatBytes(size)))
		spec.Disk = size
	}
	if changed {
		// Report errors in the new image before a reset depends on it.
		if _, err := recipe.Read(requested, spec, p.Paths); err != nil {
			return Plan{}, err
		}
		notes = append(notes, fmt.Sprintf("the VM's disk was made from the image %s; 'rdd vm reset' makes a new one from %s", rec.Image, requested))
	}
	if rec.Image.Kind == image.KindBuilt || changed {
		plan.Recipe, err = recipe.Kept(rec.Image, spec, p.Paths)
	} else if err == nil {
		plan.Recipe, err = recipe.Read(requested, spec, p.Paths)
	}
	if err != nil {
		return Plan{}, err
	}
	if plan.Recipe.Note != "" {
		notes = append(notes, plan.Recipe.Note)
	}
	plan.Note = strings.Join(notes, "; ")
	return plan, nil
}

// planNewDisk returns the plan for a new disk from an image. err is the error of the
// search for the image.
func (p *Provisioner) planNewDisk(from image.Image, err error) (Plan, error) {
	if err != nil {
		return Plan{}, err
	}
	read, err := recipe.Read(from, p.Spec, p.Paths)
	if err != nil {
		return Plan{}, err
	}
	return Plan{Image: from, Recipe: read, Note: read.Note}, nil
}
