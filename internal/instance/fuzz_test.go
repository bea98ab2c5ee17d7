package instance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Users and other programs may write anything to an instance's files. No content is
// mistaken for another daemon, and accepted arguments are saved without a change.
func FuzzFiles(f *testing.F) {
	f.Add([]byte(`{"logLevel":"debug","port":1,"namespace":"n"}`), 1)
	f.Add([]byte(`{"pid":7,"process":1,"version":"v","started":"2026-01-01T00:00:00Z"}`), 7)
	f.Add([]byte("  17\n"), 17)
	f.Add([]byte("-1"), -1)
	f.Add([]byte("99999999999999999999"), 0)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, pid int) {
		i := Instance{Dir: dir, ArgsFile: filepath.Join(dir, "args.json")}
		for _, path := range []string{i.ArgsFile, i.runFile(), filepath.Join(dir, "pid")} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := readPID(filepath.Join(dir, "pid")); got < 0 {
			t.Errorf("%q: pid %d", text, got)
		}
		if run := i.LoadRun(pid); run.PID != pid {
			t.Errorf("%q: %+v, want pid %d", text, run, pid)
		}
		args, err := i.LoadArgs()
		if err != nil {
			if !strings.Contains(err.Error(), i.ArgsFile) {
				t.Errorf("%q: the error does not name the file: %v", text, err)
			}
			return
		}
		if err := i.SaveArgs(args); err != nil {
			t.Fatal(err)
		}
		if again, err := i.LoadArgs(); err != nil || again != args {
			t.Errorf("%q: %+v, then %+v, %v", text, args, again, err)
		}
	})
}
