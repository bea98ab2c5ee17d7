// Package image says which image a VM's disk is made from, and beside the Go
// files it has what builds one.
//
// It exists apart from what makes the disk, because the daemon must know, before
// it asks for a VM, whether there is an image and how long a first boot of it may
// take, and the daemon knows nothing of Lima.
package image

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// EnvImage names the directory of the image that is used when none is set.
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

// Kind of an image.
type Kind string

// The kinds of images.
const (
	// KindBuilt is a directory with the files of a built image, as 'make vm-image'
	// builds it.
	KindBuilt Kind = "built"
	// KindCloud is a public image, in which the engine is installed at first boot.
	KindCloud Kind = "cloud"
	// KindFile is a lima.yaml of the user's.
	KindFile Kind = "file"
)

// Image is what a VM's disk is made from.
type Image struct {
	Kind Kind `json:"kind"`
	// Path of the directory or of the lima.yaml; empty for the public image.
	Path string `json:"path,omitempty"`
	// Reason why it was chosen.
	Reason string `json:"reason"`
}

// String says "cloud", or which directory or file it is.
func (i Image) String() string {
	if i.Kind == KindCloud {
		return cloud
	}
	return i.Path
}

// Same is whether both are the same image, for whatever reason.
func (i Image) Same(other Image) bool { return i.Kind == other.Kind && i.Path == other.Path }

// Surroundings are where images are looked for.
type Surroundings struct {
	// Program is the path of rdd.
	Program string
	Getenv  func(string) string
}

// Here are the surroundings of this process.
func Here() Surroundings {
	program, err := os.Executable()
	if err != nil {
		program = ""
	}
	return Surroundings{Program: program, Getenv: os.Getenv}
}

// Find says which image a limahost.Spec's Image means.
func Find(want string, s Surroundings) (Image, error) {
	switch {
	case want == cloud:
		return Image{Kind: KindCloud, Reason: "chosen by the user"}, nil
	case want != "":
		return at(want, "chosen by the user", "'rdd set vm.image=' to use the default")
	case s.Getenv(EnvImage) != "":
		return at(s.Getenv(EnvImage), "named by "+EnvImage, "build it with 'make vm-image', or correct "+EnvImage)
	}
	if program, err := filepath.EvalSymlinks(s.Program); err == nil && s.Program != "" {
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
		return Image{}, fmt.Errorf("the VM's image %q is no absolute path; use one, or %s", path, hint)
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Image{}, fmt.Errorf("the VM's image %s does not exist; %s", path, hint)
	case err != nil:
		return Image{}, fmt.Errorf("look at the VM's image: %w", err)
	case info.IsDir():
		return Image{Kind: KindBuilt, Path: path, Reason: reason}, nil
	case strings.HasSuffix(path, ".yaml"), strings.HasSuffix(path, ".yml"):
		return Image{Kind: KindFile, Path: path, Reason: reason}, nil
	default:
		return Image{}, fmt.Errorf("the VM's image %s is neither the directory of a built image nor a lima.yaml; %s", path, hint)
	}
}

// Needs returns how many bytes the making of a disk from an image takes on the
// host at once, as far as that can be known.
func (i Image) Needs() int64 {
	const others = 256 << 20 // the guest agent and the ISO that carries it
	if i.Kind != KindBuilt {
		return 2 << 30
	}
	info, err := os.Stat(filepath.Join(i.Path, DiskFile))
	if err != nil {
		return others
	}
	return info.Size() + others
}
