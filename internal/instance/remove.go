package instance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Remove removes every file of the instance. It does nothing for an instance
// that does not exist. The daemon and the engine must be stopped before.
func (i Instance) Remove() error {
	logs := i.LogDir
	if filepath.Base(logs) == "logs" {
		logs = filepath.Dir(logs)
	}
	// Dir goes last: it is what tells that something is left to be removed.
	return i.remove(logs, i.ShortDir, i.Dir)
}

// RemoveData removes the datastore and the data of the engine, and keeps
// certificates, arguments and logs.
func (i Instance) RemoveData() error {
	return i.remove(i.DataDir, i.LimaHome)
}

func (i Instance) remove(dirs ...string) error {
	if err := i.checkOwner(); err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := checkNoMounts(dir); err != nil {
			return err
		}
	}
	var errs []error
	for _, dir := range dirs {
		if err := os.RemoveAll(dir); err != nil {
			errs = append(errs, fmt.Errorf("remove %s: %w", dir, err))
		}
	}
	return errors.Join(errs...)
}

// checkNoMounts fails when something is mounted below dir: to remove it would
// remove what is mounted, such as the directory behind a bind-mounted volume.
func checkNoMounts(dir string) error {
	f, err := os.Open("/proc/self/mountinfo")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for mounts below %s: %w", dir, err)
	}
	defer f.Close()
	resolved, err := filepath.EvalSymlinks(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for mounts below %s: %w", dir, err)
	}
	point, err := mountBelow(f, resolved)
	if err != nil {
		return fmt.Errorf("look for mounts below %s: %w", dir, err)
	}
	if point != "" {
		return fmt.Errorf("%s is still mounted, so %s cannot be removed safely; stop the engine with 'rdd svc stop', or unmount it, and try again", point, dir)
	}
	return nil
}

// mountBelow returns the first mount point below dir, or nothing.
func mountBelow(mountinfo io.Reader, dir string) (string, error) {
	lines := bufio.NewScanner(mountinfo)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if point, ok := MountPoint(lines.Text()); ok && strings.HasPrefix(point, dir+"/") {
			return point, nil
		}
	}
	return "", lines.Err()
}

// MountPoint takes the fifth field of a line of /proc/self/mountinfo (see
// proc_pid_mountinfo(5)), in which blanks and backslashes are octal.
func MountPoint(line string) (string, bool) {
	fields := strings.Fields(line)
	if len(fields) < 5 {
		return "", false
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(fields[4]), true
}
