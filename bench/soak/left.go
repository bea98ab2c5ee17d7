package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// reading is what exists after a restart.
type reading struct {
	// pid is that of the daemon.
	pid int
	// processes are the numbers of the instance's processes, by name.
	processes map[string]int
	// files are the paths in the instance's and in private directories, by directory.
	files  map[string]map[string]bool
	values map[string]float64
	// heap is the profile of the heap.
	heap []byte
}

// reading reads what exists. The heap is measured after a collection.
func (d *daemon) reading(ctx context.Context, private []string) (reading, error) {
	p, err := d.process()
	if err != nil {
		return reading{}, err
	}
	heap, err := d.raw(ctx, "/debug/pprof/heap?gc=1")
	if err != nil {
		return reading{}, err
	}
	r := reading{pid: p.PID, heap: heap, files: map[string]map[string]bool{}}
	var errs []error
	r.values, err = d.read(ctx, filepath.Join("/proc", strconv.Itoa(p.PID)))
	errs = append(errs, err)
	r.processes, err = processesOf(d.home, p.PID)
	errs = append(errs, err)
	for _, dir := range append([]string{d.paths["dir"], d.paths["log_dir"], d.paths["short_dir"]}, private...) {
		r.files[dir], err = namesIn(dir)
		errs = append(errs, err)
	}
	return r, errors.Join(errs...)
}

// processesOf counts the processes whose home directory is that of the instance, and the
// children of its daemon, which may be zombies.
func processesOf(home string, daemon int) (map[string]int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	names := map[string]int{}
	for _, file := range stats {
		stat, err1 := os.ReadFile(file)
		environment, err2 := os.ReadFile(filepath.Join(filepath.Dir(file), "environ"))
		begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
		if errors.Join(err1, err2) != nil || begin < 0 || end < begin {
			continue // it has ended
		}
		fields := strings.Fields(string(stat[end+1:]))
		if len(fields) < 2 {
			continue
		}
		child := fields[1] == strconv.Itoa(daemon)
		if !child && !bytes.Contains(append([]byte{0}, environment...), []byte("\x00HOME="+home+"\x00")) {
			continue
		}
		name := string(stat[begin+1 : end])
		if fields[0] == "Z" {
			name += " (zombie)"
		}
		names[name]++
	}
	return names, nil
}

// namesIn returns the paths of all files and directories below a directory.
func namesIn(dir string) (map[string]bool, error) {
	names := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was removed meanwhile
		}
		names[path] = true
		return err
	})
	return names, err
}

// leftBehind returns an error that names what exists now, and was not there after any of the
// earlier restarts. Some names change with each start of an engine, so the number of files
// decides.
func (r reading) leftBehind(earlier []reading) error {
	var errs []error
	for name, count := range r.processes {
		most := 0
		for _, e := range earlier {
			most = max(most, e.processes[name])
		}
		if count > most {
			errs = append(errs, fmt.Errorf("%d processes %q, and %d at most before", count, name, most))
		}
	}
	for dir, names := range r.files {
		most, known := 0, map[string]bool{}
		for _, e := range earlier {
			most = max(most, len(e.files[dir]))
			maps.Copy(known, e.files[dir])
		}
		if len(names) <= most {
			continue
		}
		additional := slices.Sorted(maps.Keys(names))
		additional = slices.DeleteFunc(additional, func(name string) bool { return known[name] })
		errs = append(errs, fmt.Errorf("%d files in %s, and %d at most before: %s", len(names), dir, most, strings.Join(additional, ", ")))
	}
	return errors.Join(errs...)
}

// processNames returns the names of the processes with their numbers.
func (r reading) processNames() (all []string) {
	for _, name := range slices.Sorted(maps.Keys(r.processes)) {
		all = append(all, fmt.Sprintf("%d %s", r.processes[name], name))
	}
	return all
}
