package lima

import (
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// envBoot overrides the limit of a boot by a duration such as 20s or 1h, for very slow
// machines and for tests.
const envBoot = "RDD_VM_BOOT_TIMEOUT"

// findImage returns the image that a VM would be made from, by the rules of the agent.
func (d *Driver) findImage(spec messages.VMSpec) (image.Image, error) {
	s := image.Environment{Getenv: d.cfg.Getenv}
	if command, err := d.command(); err == nil {
		s.Program = command.Path
	}
	return image.Find(spec.VM.Image, s)
}

// bounds returns the limits of a start: one for the preparation of image and disk, and
// one for the time from the machine's start until the engine answers.
func (d *Driver) bounds(spec messages.VMSpec) (prepare, boot time.Duration) {
	prepare, boot = cloudImage, cloudBoot
	if found, err := d.findImage(spec); err == nil && found.Kind == image.KindBuilt {
		prepare, boot = builtImage, builtBoot
	}
	if text := d.cfg.Getenv(envBoot); text != "" {
		own, err := time.ParseDuration(text)
		if err != nil || own <= 0 {
			d.log.Warn("ignoring a value that is not a duration", envBoot, text)
			return prepare, boot
		}
		boot = own
	}
	return prepare, boot
}

// StartWithin implements vm.Driver.
func (d *Driver) StartWithin(spec messages.VMSpec) time.Duration {
	prepare, boot := d.bounds(spec)
	return prepare + boot
}

// imageReason returns a text for the user, such as "image
// /home/me/rdd/.cache/vm-image (built for this rdd)".
func (d *Driver) imageReason(spec messages.VMSpec) (string, error) {
	found, err := d.findImage(spec)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("image %s (%s)", found, found.Reason), nil
}
