package hubtest

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// outcome records how a test ends.
type outcome struct {
	testing.TB
	skipped bool
	failed  error
}

func (o *outcome) Skip(...any)       { o.skipped = true; runtime.Goexit() }
func (o *outcome) Fatal(args ...any) { o.failed = args[0].(error); runtime.Goexit() }

func TestRequireNeedsProgramsIfEnabled(t *testing.T) {
	root := t.TempDir()
	programs := filepath.Join(root, ".cache", "kube")
	testkit.WriteFile(t, filepath.Join(root, "go.mod"), "")
	testkit.WriteFile(t, filepath.Join(root, "internal", "file"), "")
	testkit.WriteFile(t, filepath.Join(programs, etcdProgram), "")
	testkit.WriteFile(t, filepath.Join(programs, managerProgram), "")
	t.Chdir(filepath.Join(root, "internal"))
	want := "the hub's program " + filepath.Join(programs, apiServerProgram) + " is missing: run 'make kube'"

	require := func(variable string) (dir string, o *outcome) {
		t.Setenv(enabled, variable)
		o = &outcome{TB: t}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			dir = Require(o)
		}()
		<-ended
		return dir, o
	}
	if _, o := require(""); o.failed != nil || !o.skipped {
		t.Errorf("without %s: skipped %v, failed %v", enabled, o.skipped, o.failed)
	}
	if _, o := require("1"); o.skipped || o.failed == nil || o.failed.Error() != want {
		t.Errorf("with %s: skipped %v, failed %v", enabled, o.skipped, o.failed)
	}
	testkit.WriteFile(t, filepath.Join(programs, apiServerProgram), "")
	if dir, o := require("1"); o.failed != nil || o.skipped || dir != programs {
		t.Errorf("with all programs: %s, skipped %v, failed %v", dir, o.skipped, o.failed)
	}
}
