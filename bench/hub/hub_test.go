package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func TestTallyCountsWritesByResource(t *testing.T) {
	counted := &tally{mirrors: map[string]int{}}
	for _, text := range []string{
		`{"verb":"create","objectRef":{"apiGroup":"containers.rancherdesktop.io","resource":"containers","name":"a"},"responseStatus":{"code":201}}`,
		`{"verb":"update","objectRef":{"apiGroup":"containers.rancherdesktop.io","resource":"containers","name":"a","subresource":"status"},"responseStatus":{"code":409}}`,
		`{"verb":"create","objectRef":{"apiGroup":"containers.rancherdesktop.io","resource":"containernamespaces","name":"moby"},"responseStatus":{"code":201}}`,
		`{"verb":"update","objectRef":{"apiGroup":"coordination.k8s.io","resource":"leases","name":"rdd"}}`,
		`{"verb":"patch","objectRef":{"apiGroup":"hub.rancherdesktop.io","resource":"machines","name":"m"}}`,
		`{"verb":"update","objectRef":{"apiGroup":"hub.rancherdesktop.io","resource":"machines","name":"m","subresource":"status"}}`,
	} {
		var e hubtest.AuditEvent
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		counted.count(&e)
	}
	want := &tally{mirrors: map[string]int{"containers/a": 2, "containernamespaces/moby": 1}, refused: 1, leases: 1, others: 1}
	if !reflect.DeepEqual(counted, want) {
		t.Errorf("counted %+v, want %+v", counted, want)
	}
	if a, b := counted.of("containers"), counted.of(""); a != 2 || b != 3 {
		t.Errorf("%d writes of containers and %d of all mirrors, want 2 and 3", a, b)
	}
}

func TestSumAddsLabelsOfOneMetric(t *testing.T) {
	const text = "# HELP size of it\nsize{a=\"1 2\"} 3\nsize{a=\"2\"} 4e+06\nsize_total 9\nheap 1.5\n"
	for name, want := range map[string]float64{"size": 4000003, "heap": 1.5, "size_total": 9} {
		if got, err := sum(text, name); err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", name, got, err, want)
		}
	}
	if got, err := sum(text, "size", `a="2"`); err != nil || got != 4000000 {
		t.Errorf("size of one label is %v, %v", got, err)
	}
	for _, missing := range [][]string{{"siz"}, {"size", `a="3"`}} {
		if _, err := sum(text, missing[0], missing[1:]...); err == nil {
			t.Errorf("the missing metric %v has a value", missing)
		}
	}
}

func TestReadStatAcceptsAnyProgramName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stat")
	testkit.WriteFile(t, file, "12 (a ) b) S 7 2 3 4 5 6 7 8 9 10 150 50 0 0 20 0")
	name, fields, err := readStat(file)
	if err != nil || name != "a ) b" || fields[1] != "7" || fields[11] != "150" {
		t.Errorf("readStat = %q, %v, %v", name, fields, err)
	}
	if err := os.WriteFile(file, []byte("12 (rdd) S 1"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readStat(file); err == nil {
		t.Error("a truncated line is accepted")
	}
}

func TestMergeKeepsFiguresOfOtherParts(t *testing.T) {
	earlier, later := &figures.Run{}, &figures.Run{}
	earlier.Figure(group, "kept", figures.Seconds).Values = []float64{1}
	earlier.Figure(group, "measured again", figures.Seconds).Values = []float64{2}
	later.Figure(group, "measured again", figures.Seconds).Values = []float64{3}
	merged := merge(earlier, later)
	if len(merged.Figures) != 2 || merged.Figures[0].Values[0] != 3 || merged.Figures[1].Name != "kept" {
		t.Errorf("merged %+v", merged.Figures)
	}
}
