package rddtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Leftovers describes the processes of this instance other than its daemon, and
// the zombies that the daemon has not waited for.
func (d *Daemon) Leftovers() []string {
	self, _ := d.Process()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	for _, file := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		text, readErr := os.ReadFile(file)
		if err != nil || readErr != nil || pid == self.PID {
			continue // it has ended
		}
		// The state and the parent follow the name, which is in parentheses.
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		child := self.PID != 0 && len(fields) > 1 && fields[1] == strconv.Itoa(self.PID)
		if child || d.owns(pid) {
			found = append(found, fmt.Sprintf("process %d of rdd is left: %s", pid, bytes.TrimSpace(text[:min(len(text), 80)])))
		}
	}
	return found
}

// owns reports whether a process was started by this instance: its home directory
// is that of the instance.
func (d *Daemon) owns(pid int) bool {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	return err == nil && slices.Contains(strings.Split(string(text), "\x00"), "HOME="+d.home)
}
