package lima

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/vmhost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// imageReason says which image a VM would be made from, as far as that can be
// known without making it.
func (d *Driver) imageReason(spec messages.VMSpec) (string, error) {
	switch image := spec.VM.Image; image {
	case "":
		return "the image that was built for this rdd, else the public one", nil
	case appv1.ImageCloud:
		return "the public image", nil
	default:
		if _, err := os.Stat(image); err != nil {
			return "", fmt.Errorf("vm.image: %w; name the directory of a built image or a lima.yaml, or run 'rdd set vm.image=' for the default", err)
		}
		return "image " + image, nil
	}
}

// isBuilt is whether a spec names a built image, with the engine inside.
func isBuilt(image string) bool {
	if image == "" || image == appv1.ImageCloud {
		return false
	}
	info, err := os.Stat(filepath.Clean(image))
	return err == nil && info.IsDir()
}

// bootTimeout is what a VM gets from the start of the machine to an engine that
// answers.
func (d *Driver) bootTimeout(spec vmhost.Spec) time.Duration {
	if isBuilt(spec.Image) {
		return builtBoot
	}
	return cloudBoot
}

// StartWithin implements vm.Driver.
func (d *Driver) StartWithin(spec messages.VMSpec) time.Duration {
	if isBuilt(spec.VM.Image) {
		return builtImage + builtBoot
	}
	return cloudImage + cloudBoot
}
