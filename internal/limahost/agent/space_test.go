package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A new disk takes the place of the old one, also where both do not fit. What
// does not fit is said before the VM that runs is stopped for it.
func TestSpaceForANewDisk(t *testing.T) {
	a, dir := workshop(t)
	old, err := os.OpenFile(a.paths.Disk(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if _, err := old.WriteString(strings.Repeat("x", 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := old.Sync(); err != nil { // some file systems allocate late
		t.Fatal(err)
	}
	free := int64(0)
	a.freeSpace = func(string) (int64, error) { return free, nil }
	if err := a.check(); err != nil {
		t.Errorf("a disk that stays: %v", err)
	}
	a.cfg.Spec.Reset = "now"
	if err := a.check(); err == nil || !strings.Contains(err.Error(), "not enough space for the VM in "+a.paths.LimaHome) {
		t.Errorf("no space at all: %v", err)
	}
	pl, err := a.makePlan()
	if err != nil {
		t.Fatal(err)
	}
	free = pl.image.Needs() - 1<<20
	if err := a.check(); err != nil {
		t.Errorf("space with that of the old disk: %v", err)
	}
	a.freeSpace, a.paths.LimaHome = nil, filepath.Join(dir, "not", "yet")
	if err := a.checkSpace(plan{image: pl.image}); err != nil {
		t.Errorf("a directory that is still to be made: %v", err)
	}
}
