package recipe

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lima-vm/lima/pkg/driverutil"
	"github.com/lima-vm/lima/pkg/limayaml"
	"github.com/lima-vm/lima/pkg/store/filenames"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/image"
)

// The accelerations that determine Lima's driver.
const (
	accelAuto = "auto"
	accelVZ   = "vz"
)

//go:embed cloud.yaml
var cloudYAML string

// Recipe is the configuration of a VM.
type Recipe struct {
	// Config is the complete lima.yaml, with Lima's defaults, validated.
	Config *limayaml.LimaYAML
	// Note lists the parts of a user's lima.yaml that rdd does not support, and the
	// directories that are not shared.
	Note string

	text               []byte
	defaults, override *limayaml.LimaYAML
}

// Read returns the recipe for an image and a spec. The spec takes precedence over a
// user's lima.yaml. An error in that file has the file's name and the line. Read
// changes nothing.
func Read(from image.Image, s limahost.Spec, p limahost.Paths) (Recipe, error) {
	if from.Kind == image.KindBuilt {
		return readBuilt(from, s, p)
	}
	text, name := []byte(cloudYAML), "the template of the public image"
	if from.Kind == image.KindFile {
		name = from.Path
		var err error
		if text, err = os.ReadFile(from.Path); err != nil {
			return Recipe{}, fmt.Errorf("read the VM's lima.yaml: %w", err)
		}
	}
	return merge(from.Kind, text, name, s, p)
}

// merge returns the recipe for a lima.yaml that rdd did not write.
func merge(from image.Kind, text []byte, name string, s limahost.Spec, p limahost.Paths) (Recipe, error) {
	y, err := parse(text, name, p)
	if err != nil {
		return Recipe{}, err
	}
	vmType, err := chooseType(s.Acceleration, y.VMType)
	if err != nil {
		return Recipe{}, err
	}
	r := Recipe{text: text, defaults: defaults(vmType), override: overrides(s, vmType)}
	if r.override.Provision, err = settingsScript(from, s); err != nil {
		return Recipe{}, err
	}
	// The user may choose the port for SSH.
	if y.SSH.LocalPort != nil {
		r.override.SSH.LocalPort = nil
	}
	r.Note = unsupported(y)
	// The mounts of a user's lima.yaml are those of that file.
	if from != image.KindFile {
		r.Note = setMounts(r.override, s, vmType)
	}
	limayaml.FillDefault(y, r.defaults, r.override, limaYAML(p), false)
	r.Config = y
	return r, check(y, text, name)
}

func readBuilt(from image.Image, s limahost.Spec, p limahost.Paths) (Recipe, error) {
	vmType, err := chooseType(s.Acceleration, nil)
	if err != nil {
		return Recipe{}, err
	}
	y, err := built(from.Path, s, vmType)
	if err != nil {
		return Recipe{}, err
	}
	return complete(y, s, p)
}

// complete returns the recipe for a lima.yaml that rdd writes. It adds the mounts.
func complete(y *limayaml.LimaYAML, s limahost.Spec, p limahost.Paths) (Recipe, error) {
	note := setMounts(y, s, *y.VMType)
	text, err := limayaml.Marshal(y, false)
	if err != nil {
		return Recipe{}, fmt.Errorf("write the VM's lima.yaml: %w", err)
	}
	limayaml.FillDefault(y, &limayaml.LimaYAML{}, &limayaml.LimaYAML{}, limaYAML(p), false)
	return Recipe{Config: y, Note: note, text: text}, check(y, text, limaYAML(p))
}

// chooseType returns the type of VM, which determines Lima's driver. Apple's framework
// is preferred where it is available. inYAML is the type in a user's lima.yaml.
func chooseType(acceleration string, inYAML *limayaml.VMType) (limayaml.VMType, error) {
	hasVZ := false
	for _, name := range driverutil.Drivers() {
		hasVZ = hasVZ || name == limayaml.VZ
	}
	switch {
	case acceleration == accelVZ && !hasVZ:
		return "", fmt.Errorf("acceleration vz needs macOS, and an rdd that was built with cgo: use 'rdd set vm.acceleration=auto'")
	case acceleration == accelVZ:
		return limayaml.VZ, nil
	case acceleration != accelAuto && acceleration != "":
		return limayaml.QEMU, nil
	case inYAML != nil && *inYAML != "" && *inYAML != "default":
		return *inYAML, nil
	case hasVZ:
		return limayaml.VZ, nil
	default:
		return limayaml.QEMU, nil
	}
}

// unsupported lists the parts of a user's lima.yaml that rdd does not support.
func unsupported(y *limayaml.LimaYAML) string {
	var parts []string
	if len(y.HostResolver.Hosts) > 0 {
		parts = append(parts, "hostResolver.hosts")
	}
	if len(y.CopyToHost) > 0 {
		parts = append(parts, "copyToHost")
	}
	if len(y.Probes) > 0 {
		parts = append(parts, "probes")
	}
	if y.MountInotify != nil && *y.MountInotify {
		parts = append(parts, "mountInotify")
	}
	if len(parts) == 0 {
		return ""
	}
	return "rdd does not support these parts of the lima.yaml: " + strings.Join(parts, ", ")
}

// Text returns the text of the lima.yaml.
func (r Recipe) Text() []byte { return r.text }

// WriteOverrides writes the files in Lima's home that Lima merges with each lima.yaml.
// A user's lima.yaml stays unchanged.
func (r Recipe) WriteOverrides(p limahost.Paths) error {
	dir := filepath.Join(p.LimaHome, filenames.ConfigDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create Lima's directory: %w", err)
	}
	for name, y := range map[string]*limayaml.LimaYAML{filenames.Default: r.defaults, filenames.Override: r.override} {
		path := filepath.Join(dir, name)
		if y == nil {
			if err := filetree.Remove(path); err != nil {
				return fmt.Errorf("remove Lima's %s: %w", name, err)
			}
			continue
		}
		text, err := limayaml.Marshal(y, false)
		if err == nil {
			err = instance.ReplaceFile(path, text)
		}
		if err != nil {
			return fmt.Errorf("write Lima's %s: %w", name, err)
		}
	}
	return nil
}

// Write writes the lima.yaml of an existing VM, and the files of WriteOverrides.
func (r Recipe) Write(p limahost.Paths) error {
	if err := r.WriteOverrides(p); err != nil {
		return err
	}
	if err := instance.ReplaceFile(limaYAML(p), r.text); err != nil {
		return fmt.Errorf("write the VM's lima.yaml: %w", err)
	}
	return nil
}

func limaYAML(p limahost.Paths) string { return filepath.Join(p.Dir(), filenames.LimaYAML) }

// Kept returns the recipe of a VM whose disk is kept, although another image is requested
// or its image is missing. It combines the VM's own lima.yaml with the spec.
func Kept(from image.Image, s limahost.Spec, p limahost.Paths) (Recipe, error) {
	name := limaYAML(p)
	text, err := os.ReadFile(name)
	if err != nil {
		return Recipe{}, fmt.Errorf("read the VM's lima.yaml: %w: make a new VM with 'rdd vm reset'", err)
	}
	if from.Kind != image.KindBuilt {
		return merge(from.Kind, text, name, s, p)
	}
	y, err := parse(text, name, p)
	if err != nil {
		return Recipe{}, err
	}
	vmType, err := chooseType(s.Acceleration, y.VMType)
	if err != nil {
		return Recipe{}, err
	}
	set := overrides(s, vmType)
	y.VMType, y.CPUs, y.Memory, y.Disk = set.VMType, set.CPUs, set.Memory, set.Disk
	if y.Env, err = settingsVariables(s); err != nil {
		return Recipe{}, err
	}
	return complete(y, s, p)
}
