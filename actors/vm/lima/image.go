package lima

import (
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// envBoot overrides the bound of a boot, as a duration such as 20s or 1h: for a
// machine that is slower than any that was thought of, and for tests.
const envBoot = "RDD_VM_BOOT_TIMEOUT"

// findImage says which image a VM would be made from, by the same rules as the
// agent.
func (d *Driver) findImage(spec messages.VMSpec) (image.Image, error) {
	s := image.Surroundings{Getenv: d.cfg.Getenv}
	if command, err := d.command(); err == nil {
		s.Program = command.Path
	}
	return image.Find(spec.VM.Image, s)
}

// bounds are the longest that a start may take: preparing the image and the disk,
// and from the start of the machine to an engine that answers.
func (d *Driver) bounds(spec messages.VMSpec) (prepare, boot time.Duration) {
	prepare, boot = cloudImage, cloudBoot
	if found, err := d.findImage(spec); err == nil && found.Kind == image.KindBuilt {
		prepare, boot = builtImage, builtBoot
	}
	if text := d.cfg.Getenv(envBoot); text != "" {
		own, err := time.ParseDuration(text)
		if err != nil || own <= 0 {
			d.log.Warn("not a duration, ignored", envBoot, text)
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

// imageReason is for a user, such as "image /home/me/rdd/.cache/vm-image (built
// for this rdd)".
func (d *Driver) imageReason(spec messages.VMSpec) (string, error) {
	found, err := d.findImage(spec)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("image %s (%s)", found, found.Reason), nil
}
