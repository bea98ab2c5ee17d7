package provision

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A new disk replaces the old one, so that both need not fit. If the new disk does not
// fit, the error comes before the running VM is stopped.
func TestCheckCountsOldDiskAsFree(t *testing.T) {
	p, dir := provisioner(t)
	old, err := os.OpenFile(p.Paths.Disk(), os.O_WRONLY|os.O_APPEND, 0)
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
	p.FreeSpace = func(string) (int64, error) { return free, nil }
	if err := p.Check(); err != nil {
		t.Errorf("a disk that is kept: %v", err)
	}
	p.Spec.Reset = "now"
	if err := p.Check(); err == nil || !strings.Contains(err.Error(), "not enough space for the VM in "+p.Paths.LimaHome) {
		t.Errorf("no space at all: %v", err)
	}
	plan, err := p.Plan()
	if err != nil {
		t.Fatal(err)
	}
	free = plan.Image.Needs() - 1<<20
	if err := p.Check(); err != nil {
		t.Errorf("enough space with the old disk: %v", err)
	}
	p.FreeSpace, p.Paths.LimaHome = nil, filepath.Join(dir, "not", "yet")
	if err := p.checkSpace(Plan{Image: plan.Image}); err != nil {
		t.Errorf("a directory that does not exist yet: %v", err)
	}
}
