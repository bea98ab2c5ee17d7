package figures

import (
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestPercentileReturnsMeasuredValue(t *testing.T) {
	hundreds := make([]float64, 300)
	for i := range hundreds {
		hundreds[i] = float64(300 - i) // 300 to 1
	}
	for _, tc := range []struct {
		name   string
		values []float64
		p      float64
		want   float64
	}{
		{"one value", []float64{7}, 99, 7},
		{"median of an odd number", []float64{3, 1, 2}, 50, 2},
		{"median of an even number is the lower one", []float64{4, 1, 3, 2}, 50, 2},
		{"the least", []float64{3, 1, 2}, 0, 1},
		{"the greatest", []float64{3, 1, 2}, 100, 3},
		{"p99 of 300 leaves three above", hundreds, 99, 297},
		{"p50 of 300", hundreds, 50, 150},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := Percentile(tc.values, tc.p); got != tc.want {
				t.Errorf("Percentile(%v) = %v, want %v", tc.p, got, tc.want)
			}
		})
	}
	if got := Percentile(nil, 50); !math.IsNaN(got) {
		t.Errorf("the median of nothing is %v", got)
	}
	values := []float64{3, 1, 2}
	Percentile(values, 50)
	if !reflect.DeepEqual(values, []float64{3, 1, 2}) {
		t.Errorf("Percentile changed its argument to %v", values)
	}
}

func TestDistributionMergesEqualValues(t *testing.T) {
	got := Distribution([]float64{2, 1, 2, 4})
	want := []Step{{1, 0.25}, {2, 0.75}, {4, 1}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Distribution = %v, want %v", got, want)
	}
}

func TestLines(t *testing.T) {
	run := &Run{}
	run.Figure(Memory, "after", Megabytes).Values = []float64{123.4}
	latency := run.Figure(Events, "created", Milliseconds, GoalAt(50, 2), GoalAt(99, 5))
	for i := range 100 {
		latency.Values = append(latency.Values, float64(i)/10)
		latency.Baseline = append(latency.Baseline, float64(i))
	}
	run.Figure(Sync, "full sync", Seconds, Goal(0.5)).Values = []float64{0.4444, 0.39, 0.41}
	run.Figure(Sync, "written", Writes, Goal(0)).Values = []float64{0, 0}

	got := run.Lines()
	want := []Line{
		{"full sync", "0.5 s, met", "0.41 s (0.39 to 0.444)", "", ""},
		{"written", "0, met", "0", "", ""},
		{"created, p50", "2 ms, missed", "4.9 ms (n=100)", "49 ms (n=100)", "10.0"},
		{"created, p99", "5 ms, missed", "9.8 ms (n=100)", "98 ms (n=100)", "10.0"},
		{"after", "", "123 MB", "", ""},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Lines:\n got %q\nwant %q", got, want)
	}
	if got := run.Lines(Memory); len(got) != 1 || got[0].Measure != "after" {
		t.Errorf("Lines of one group: %v", got)
	}
	var table strings.Builder
	if err := WriteTable(&table, run.Lines(Memory)); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(table.String(), "| measure | measured |\n| ---     | ---      |\n| after   | 123 MB   |") {
		t.Errorf("WriteTable:\n%s", table.String())
	}
}

func TestRatioOfMissingValueIsEmpty(t *testing.T) {
	for _, pair := range [][2]float64{{0, 0}, {0, 5}, {1, math.NaN()}, {math.NaN(), 1}} {
		if got := ratioWords(Ratio(pair[0], pair[1])); got != "" {
			t.Errorf("ratio of %v is %q", pair, got)
		}
	}
	if got := ratioWords(Ratio(0.5, 5)); got != "10.0" {
		t.Errorf("ratio is %q", got)
	}
}

func TestNumberHasThreeSignificantDigits(t *testing.T) {
	for value, want := range map[float64]string{
		0: "0", 0.0004: "0", 0.0126: "0.013", 0.5: "0.5", 1.005: "1", 1.234: "1.23", 12.34: "12.3", 100: "100", 1234.5: "1234", -2.5: "-2.5",
	} {
		if got := Number(value); got != want {
			t.Errorf("Number(%v) = %q, want %q", value, got, want)
		}
	}
}

func TestReadReturnsWhatWriteWrote(t *testing.T) {
	run := &Run{Date: time.Unix(1e9, 0).UTC(), Commit: "abc", Machine: Machine{CPU: "x", Cores: 2}}
	run.Figure("g", "n", Seconds, Goal(0)).Values = []float64{1}
	run.Point("sync", "rdd", Seconds, 100, 0.1)
	run.Point("sync", "rdd", Seconds, 500, 0.5)
	file := filepath.Join(t.TempDir(), "run.json")
	if err := run.Write(file); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, run) {
		t.Errorf("read %+v, wrote %+v", got, run)
	}
	if len(got.Curves) != 1 || len(got.Curves[0].Points) != 2 {
		t.Errorf("curves: %+v", got.Curves)
	}
}
