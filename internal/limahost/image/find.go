// Package image finds the image that a VM's disk is made from. Beside its Go file it has
// the scripts that build one.
//
// The daemon imports it too, because the limits of a start depend on the image.
//
// Reading map:
//
//	find.go       find the image
//	engine.go     the configuration of its engine
//	build.sh      build one
//	customize.sh, units.sh, packages, cmdline, guest/, initrd/  its contents
package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// EnvImage is the environment variable with the directory of the default image.
const EnvImage = "RDD_VM_IMAGE"

// cloud is the name of the public image.
const cloud = "cloud"

// The files of a built image.
const (
	ManifestFile = "image.json"
	DiskFile     = "disk.qcow2"
	KernelFile   = "kernel"
	InitrdFile   = "initrd"
	CmdlineFile  = "cmdline"
)

// Kind is the kind of an image.
type Kind string

// The kinds of images.
const (
	// KindBuilt is a directory with the files of a built image, as 'make vm-image'
	// builds it.
	KindBuilt Kind = "built"
	// KindCloud is a public image, which installs the engine at its first boot.
	KindCloud Kind = "cloud"
	// KindFile is a user's lima.yaml.
	KindFile Kind = "file"
)

// Image is the source of a VM's disk.
type Image struct {
	Kind Kind `json:"kind"`
	// Path is the path of the directory or the lima.yaml; empty for the public image.
	Path string `json:"path,omitempty"`
	// Reason is why the image was chosen.
	Reason string `json:"reason"`
}

// String returns "cloud", or the path.
func (i Image) String() string {
	if i.Kind == KindCloud {
		return cloud
	}
	return i.Path
}

// Same reports whether both are the same image, also with different reasons.
func (i Image) Same(other Image) bool { return i.Kind == other.Kind && i.Path == other.Path }

// Environment determines the default image.
type Environment struct {
	// Program is the path of rdd.
	Program string
	Getenv  func(string) string
}

// Here returns the environment of this process.
func Here() Environment {
	program, err := os.Executable()
	if err != nil {
		program = ""
	}
	return Environment{Program: program, Getenv: os.Getenv}
}

// Find returns the image that the Image of a limahost.Spec requests.
func Find(requested string, e Environment) (Image, error) {
	switch {
	case requested == cloud:
		return Image{Kind: KindCloud, Reason: "chosen by the user"}, nil
	case requested != "":
		return at(requested, "chosen by the user", "'rdd set vm.image=' to use the default")
	case e.Getenv(EnvImage) != "":
		return at(e.Getenv(EnvImage), "named by "+EnvImage, "build it with 'make vm-image', or correct "+EnvImage)
	}
	if program, err := filepath.EvalSymlinks(e.Program); err == nil && e.Program != "" {
		top := filepath.Dir(filepath.Dir(program))
		for _, dir := range []string{filepath.Join(top, ".cache", "vm-image"), filepath.Join(top, "share", "rdd", "vm-image")} {
			if _, err := os.Stat(filepath.Join(dir, ManifestFile)); err == nil {
				return Image{Kind: KindBuilt, Path: dir, Reason: "built for this rdd"}, nil
			}
		}
	}
	return Image{Kind: KindCloud, Reason: "no image was built for this rdd ('make vm-image' builds one)"}, nil
}

func at(path, reason, hint string) (Image, error) {
	if !filepath.IsAbs(path) {
		return Image{}, fmt.Errorf("the VM's image %q is not an absolute path: use an absolute path, or %s", path, hint)
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Image{}, fmt.Errorf("the VM's image %s does not exist: %s", path, hint)
	case err != nil:
		return Image{}, fmt.Errorf("find the VM's image: %w", err)
	case info.IsDir():
		return Image{Kind: KindBuilt, Path: path, Reason: reason}, nil
	case strings.HasSuffix(path, ".yaml"), strings.HasSuffix(path, ".yml"):
		return Image{Kind: KindFile, Path: path, Reason: reason}, nil
	default:
		return Image{}, fmt.Errorf("the VM's image %s is neither the directory of a built image nor a lima.yaml: %s", path, hint)
	}
}

// Needs returns the number of bytes that a new disk with the image initially needs on the
// host. It is an estimate for a public image.
func (i Image) Needs() int64 {
	const others = 256 << 20 // the guest agent, and the ISO with it
	if i.Kind != KindBuilt {
		return 2 << 30
	}
	info, err := os.Stat(filepath.Join(i.Path, DiskFile))
	if err != nil {
		return others
	}
	return info.Size() + others
}
