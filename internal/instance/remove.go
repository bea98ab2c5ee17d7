package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// Place is a directory of the instance. A user may move it to another disk and put
// a link in its place; then it may hold other files too.
type Place struct {
	path string
	// made are patterns of filepath.Match for what rdd makes in it.
	made []string
	// root holds the owner file that covers the place, and owner is its text; no root
	// means that the names suffice, and no owner that any text does.
	root, owner string
	// inner says that the place is in a directory that may be a link itself.
	inner bool
}

// Remove removes every file of the instance. It does nothing for an instance that
// does not exist. The daemon and the engine must be stopped before. Of a directory
// that the user replaced by a link, the link is removed and in its target what rdd
// made; left are the paths that stay there.
func (i Instance) Remove() (left []string, err error) {
	return i.remove(true, i.everything())
}

// RemoveData removes the datastore and the data of the engine, and keeps
// certificates, arguments and logs. Links to other disks stay, and their targets.
func (i Instance) RemoveData() error {
	_, err := i.remove(false, i.data())
	return err
}

// CheckRemovable returns why Remove would refuse to begin: a directory or link of
// another user or instance, or a mount below. It passes over mounts in the engine's
// directories: whoever stops the engine unmounts those that are its own, and checks
// the others.
func (i Instance) CheckRemovable() error {
	if err := i.checkOwner(); err != nil {
		return err
	}
	engine := []string{filetree.Resolve(filepath.Join(i.DataDir, "engine")), filetree.Resolve(filepath.Join(i.ShortDir, "engine"))}
	for _, p := range i.everything() {
		err := p.Check()
		if mounted, ok := errors.AsType[*filetree.MountedError](err); ok {
			mounted.Mounts = slices.DeleteFunc(mounted.Mounts, func(m filetree.Mount) bool {
				return filetree.IsBelow(m.Point, engine[0]) || filetree.IsBelow(m.Point, engine[1])
			})
			if len(mounted.Mounts) == 0 {
				continue
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// data are the places that a reset empties.
func (i Instance) data() []Place {
	home := LimaHome(i.LimaHome)
	home.owner = i.Dir
	return []Place{
		{
			path: i.DataDir, root: i.Dir, owner: i.Name, inner: true,
			made: []string{"engine", "ballast", ".ballast*", "state.db", "state.db-*", "state.db.*", ".state.db*"},
		},
		home,
	}
}

// LimaHome returns the place of the instance's VMs.
func LimaHome(path string) Place {
	return Place{path: path, root: filepath.Dir(path), inner: true, made: []string{
		"rdd", "_config", "_tmp", "_guestagent", "_cache", "_disks", "_networks", "hostagent.*", ".hostagent.*",
		"accel.json", "resets.json", "end.json", "making", ".accel.json.*", ".resets.json.*", ".end.json.*",
	}}
}

// LogNames returns patterns of filepath.Match for a log that has the given name and
// for its rotations: those of lumberjack, whose names have a time, and one that ends
// in ".1".
func LogNames(name string) []string {
	ext := filepath.Ext(name)
	digits := strings.NewReplacer("0", "[0-9]").Replace("-0000-00-00T00-00-00.000")
	return []string{name, name + ".1", strings.TrimSuffix(name, ext) + digits + ext}
}

// everything are all places, inner ones before those that hold them.
func (i Instance) everything() []Place {
	inState := filepath.Base(i.LogDir) == "logs"
	logs := Place{path: i.LogDir, inner: inState}
	for _, name := range []string{"rdd.log", "rdd.stderr.log", "dockerd.log", "containerd.log", "hostagent.log"} {
		logs.made = append(logs.made, LogNames(name)...)
	}
	places := append(i.data(),
		Place{
			path: i.TLSDir, root: i.Dir, owner: i.Name, inner: true,
			made: []string{"tls.crt", "tls.key", "token", "port", "revision", ".tls.*", ".token*", ".port*", ".revision*"},
		},
		logs,
	)
	if inState {
		places = append(places, Place{path: filepath.Dir(i.LogDir)})
	}
	// Dir goes last: its existence says that something is left to be removed.
	return append(places,
		Place{path: i.ShortDir, root: i.ShortDir, owner: i.Dir, made: []string{
			ownerFile, "." + ownerFile + ".*", "engine", "docker.sock", "containerd.sock", "containerd.sock.ttrpc",
		}},
		Place{path: i.Dir, root: i.Dir, owner: i.Name, made: []string{
			ownerFile, "config.yaml", "rdd.pid", "args.json", "run.json", filepath.Base(i.CacheDir()),
			"." + ownerFile + ".*", ".config.yaml*", ".args.json.*", ".run.json.*",
		}},
	)
}

// CacheDir is where 'rdd ctl' keeps what it learned of the API.
func (i Instance) CacheDir() string { return filepath.Join(i.Dir, "kubectl-cache") }

func (i Instance) check(places []Place) error {
	if err := i.checkOwner(); err != nil {
		return err
	}
	for _, p := range places {
		if err := p.Check(); err != nil {
			return err
		}
	}
	return nil
}

// remove checks all places before it removes anything.
func (i Instance) remove(links bool, places []Place) (left []string, err error) {
	if err := i.check(places); err != nil {
		return nil, err
	}
	var errs []error
	for _, p := range places {
		more, err := p.remove(links)
		left, errs = append(left, more...), append(errs, err)
	}
	// A directory is not listed beside what is in it.
	left = slices.DeleteFunc(left, func(dir string) bool {
		return slices.ContainsFunc(left, func(path string) bool { return path != dir && filetree.IsBelow(path, dir) })
	})
	return left, errors.Join(errs...)
}

// linked reports whether the place is a link, which must be the user's own, as must
// be its target: another user's could lead anywhere.
func (p Place) linked() (bool, error) {
	info, err := os.Lstat(p.path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	if err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return false, nil
	}
	if err == nil {
		err = owned(info)
	}
	if err != nil {
		return false, fmt.Errorf("remove %s: %w", p.path, err)
	}
	target, err := os.Stat(p.path)
	if err == nil {
		err = owned(target)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("remove what %s leads to: %w", p.path, err)
	}
	return true, nil
}

func owned(info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Getuid() {
		return fmt.Errorf("the owner is the user with id %d: remove it as that user, and run the command again", stat.Uid)
	}
	return nil
}

// shared reports whether the directory may hold other files of the user: it is a
// link, or it is in one. link says that it is one itself.
func (p Place) shared() (link, shared bool, err error) {
	link, err = p.linked()
	if err != nil || link || !p.inner {
		return link, link, err
	}
	shared, err = Place{path: filepath.Dir(p.path)}.linked()
	return false, shared, err
}

// madeHere reports whether rdd makes an entry of this name in the place.
func (p Place) madeHere(name string) bool {
	return slices.ContainsFunc(p.made, func(pattern string) bool {
		matches, err := filepath.Match(pattern, name)
		return err == nil && matches
	})
}

// isOwned reports whether the owner file says that the place is the instance's. A root
// that is no link was made by rdd.
func (p Place) isOwned() bool {
	if linked, err := (Place{path: p.root}).linked(); p.root == "" || err == nil && !linked {
		return true
	}
	text, err := os.ReadFile(filepath.Join(p.root, ownerFile))
	return err == nil && (p.owner == "" || strings.TrimSpace(string(text)) == p.owner)
}

// Check returns why the place cannot be removed: what is mounted below, or that it is
// a link of another user.
func (p Place) Check() error {
	_, shared, err := p.shared()
	if err != nil {
		return err
	}
	if !shared {
		return filetree.CheckUnmounted(p.path)
	}
	if !p.isOwned() {
		return nil
	}
	entries, err := os.ReadDir(p.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove what %s leads to: %w", p.path, err)
	}
	target := filetree.Resolve(p.path)
	for _, entry := range entries {
		if !p.madeHere(entry.Name()) {
			continue
		}
		if err := filetree.CheckUnmounted(filepath.Join(target, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Empty removes the place, or empties what a link there leads to.
func (p Place) Empty() error {
	if err := p.Check(); err != nil {
		return err
	}
	_, err := p.remove(false)
	return err
}

// remove removes the place. A link, and a directory in one, is kept unless links is
// set; left is what stays behind a link that is removed.
func (p Place) remove(links bool) (left []string, err error) {
	link, shared, err := p.shared()
	if err != nil {
		return nil, err
	}
	if !shared {
		return nil, filetree.Remove(p.path)
	}
	target, isOwned := filetree.Resolve(p.path), p.isOwned()
	names, err := filetree.Clear(p.path, func(name string) bool {
		return isOwned && name != ownerFile && p.madeHere(name)
	})
	// The owner file goes last, so that a removal that fails can be repeated.
	if err == nil && slices.Contains(names, ownerFile) {
		names, err = filetree.Clear(p.path, func(name string) bool {
			return isOwned && name == ownerFile && p.madeHere(name)
		})
	}
	if err != nil || !links {
		return nil, err
	}
	for _, name := range names {
		left = append(left, filepath.Join(target, name))
	}
	switch {
	case link:
		if len(names) == 0 && target != p.path {
			left = append(left, target)
		}
		return left, os.Remove(p.path)
	case isOwned && len(names) == 0:
		return nil, filetree.Remove(p.path)
	}
	return left, nil
}
