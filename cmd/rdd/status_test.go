package main

import (
	"os"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// A part that fails is reported, and the other parts are shown.
func TestStatusShowsOtherPartsIfOneFails(t *testing.T) {
	instancetest.Home(t)
	inst, err := instance.New("")
	if err != nil {
		t.Fatal(err)
	}
	if err := inst.Create(); err != nil {
		t.Fatal(err)
	}
	// Not even root can inspect a VM below a file.
	if err := os.Remove(inst.LimaHome); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(inst.LimaHome, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ := rdd(t, "status")
	for _, want := range []string{"instance:", "stopped", "unavailable", inst.LimaHome} {
		if !strings.Contains(out, want) {
			t.Errorf("%q does not say %q", out, want)
		}
	}
	if code != exitError {
		t.Errorf("exit code %d", code)
	}
}
