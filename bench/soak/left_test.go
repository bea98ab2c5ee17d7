package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// readingOf returns a reading with the processes and the files, which are all in one directory.
func readingOf(processes map[string]int, files ...string) reading {
	names := map[string]bool{}
	for _, file := range files {
		names[file] = true
	}
	return reading{processes: processes, files: map[string]map[string]bool{"/run": names}}
}

func TestLeftBehind(t *testing.T) {
	earlier := []reading{
		readingOf(map[string]int{"rdd": 1, "dockerd": 1}, "pid", "socket"),
		readingOf(map[string]int{"rdd": 1, "dockerd": 1, "runc": 1}, "pid", "socket", "sandbox-1"),
	}
	for name, test := range map[string]struct {
		now     reading
		wantErr bool
	}{
		"the same":             {earlier[0], false},
		"fewer":                {readingOf(map[string]int{"rdd": 1}, "pid"), false},
		"as at most before":    {earlier[1], false},
		"another name":         {readingOf(map[string]int{"rdd": 1}, "pid", "socket", "sandbox-2"), false},
		"a second daemon":      {readingOf(map[string]int{"rdd": 2}, "pid"), true},
		"a zombie":             {readingOf(map[string]int{"rdd": 1, "rdd (zombie)": 1}, "pid"), true},
		"a file more":          {readingOf(map[string]int{"rdd": 1}, "pid", "socket", "sandbox-2", "sandbox-3"), true},
		"processes of no name": {readingOf(map[string]int{"dockerd": 1, "sleep": 1}), true},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test.now.leftBehind(earlier); (err != nil) != test.wantErr {
				t.Errorf("leftBehind() = %v, want an error: %v", err, test.wantErr)
			}
		})
	}
}

func TestProcessesOfFindsHomeAndChildren(t *testing.T) {
	home := t.TempDir()
	for _, variable := range []string{"HOME=" + home, "HOME=" + home + "/other"} {
		cmd := exec.Command("sleep", "600")
		cmd.Env = []string{variable}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
	count := func(daemon int) (all int) {
		names, err := processesOf(home, daemon)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			all += n
		}
		return all
	}
	if got := count(0); got != 1 {
		t.Errorf("%d processes have the home directory, want 1", got)
	}
	if got := count(os.Getpid()); got != 2 {
		t.Errorf("%d processes are children or have the home directory, want 2", got)
	}
}

func TestNamesInListsEverything(t *testing.T) {
	dir := t.TempDir()
	testkit.WriteFile(t, filepath.Join(dir, "one"), "")
	if err := os.Mkdir(filepath.Join(dir, "two"), 0o700); err != nil {
		t.Fatal(err)
	}
	names, err := namesIn(dir)
	if err != nil || len(names) != 3 {
		t.Errorf("namesIn() = %v, %v; want the directory and what is in it", names, err)
	}
	if names, err := namesIn(filepath.Join(dir, "missing")); err != nil || len(names) != 0 {
		t.Errorf("namesIn() of a missing directory = %v, %v", names, err)
	}
}
