package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

// Programs of the hub.
const (
	apiServer = "kube-apiserver"
	etcd      = "etcd"
)

// ticks is the number of clock ticks of /proc in a second, on every Linux.
const ticks = 100

// child returns the directory in /proc of a child of this process.
func child(program string) (dir string, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return "", err
	}
	for _, file := range stats {
		name, fields, err := readStat(file)
		if err == nil && name == program && fields[1] == strconv.Itoa(os.Getpid()) {
			return filepath.Dir(file), nil
		}
	}
	return "", fmt.Errorf("find %s: it does not run", program)
}

// readStat returns the name of a process, and the fields that follow the name.
func readStat(file string) (name string, fields []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", nil, err
	}
	begin, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if begin < 0 || end < begin {
		return "", nil, errors.New("read " + file + ": it has no name")
	}
	fields = strings.Fields(string(text[end+1:]))
	if len(fields) < 14 {
		return "", nil, errors.New("read " + file + ": it is too short")
	}
	return string(text[begin+1 : end]), fields, nil
}

// cpuTime returns the CPU time that a program of the hub has used.
func cpuTime(program string) (time.Duration, error) {
	dir, err := child(program)
	if err != nil {
		return 0, err
	}
	_, fields, err := readStat(filepath.Join(dir, "stat"))
	if err != nil {
		return 0, fmt.Errorf("read the CPU time of %s: %w", program, err)
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks, errors.Join(err1, err2)
}

// residentMemory returns the bytes of private memory (RssAnon) of a program of the hub.
func residentMemory(program string) (int64, error) {
	dir, err := child(program)
	if err != nil {
		return 0, err
	}
	kilobytes, err := rddtest.ReadField(filepath.Join(dir, "status"), "RssAnon:")
	return kilobytes << 10, err
}
