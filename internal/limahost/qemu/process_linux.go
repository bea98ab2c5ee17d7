package qemu

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
)

// Stopped reports whether a process was stopped with SIGSTOP, or by a debugger.
func Stopped(p process.Process) bool {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(p.PID), "stat"))
	if err != nil {
		return false
	}
	// The state follows the name, which is in parentheses; see proc(5).
	state := bytes.TrimLeft(data[bytes.LastIndexByte(data, ')')+1:], " ")
	return len(state) > 0 && (state[0] == 'T' || state[0] == 't')
}

// executable returns the name of the file that a process runs.
func executable(p process.Process) string { return p.Executable() }
