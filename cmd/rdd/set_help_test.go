package main

import (
	"strings"
	"testing"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/property"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/terminal"
)

func TestPropertiesFitTerminal(t *testing.T) {
	crd, err := property.EmbeddedCRD()
	if err != nil {
		t.Fatal(err)
	}
	all, err := property.FromCRD(crd, appv1.GroupVersion.Version)
	if err != nil {
		t.Fatal(err)
	}
	for _, columns := range []int{50, 80, 132} {
		var out strings.Builder
		if err := writeProperties(&out, all.Settable(), columns); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if width := terminal.Width(strings.TrimRight(line, "\n")); width > columns && len(strings.Fields(line)) > 1 {
				t.Errorf("%d columns, not %d: %s", width, columns, line)
			}
		}
		words := strings.Join(strings.Fields(out.String()), " ")
		if !strings.Contains(out.String(), "\n  running ") || !strings.Contains(words, "Driver is what runs the engine") {
			t.Errorf("%d columns: a property or a description is missing:\n%s", columns, out.String())
		}
	}
}
