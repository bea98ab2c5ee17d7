package main

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// seriesOf returns four quarters of a minute with six samples each, whose measures all have the
// value that of returns.
func seriesOf(of func(quarter, n int) float64) (samples []sample) {
	for i := range 24 {
		one := sample{daemon: lasting, at: time.Duration(i) * 10 * time.Second, pid: 7}
		for range measures() {
			one.values = append(one.values, of(i/6, i))
		}
		samples = append(samples, one)
	}
	return samples
}

func verdictOf(t *testing.T, samples []sample, column string) verdict {
	t.Helper()
	verdicts, err := judge(samples, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(verdicts, func(v verdict) bool { return v.measure.column == column })
	if at < 0 {
		t.Fatalf("there is no verdict on %s", column)
	}
	return verdicts[at]
}

func TestJudgeComparesLastQuarterWithSecond(t *testing.T) {
	const mb = 1 << 20
	quarters := func(values ...float64) func(int, int) float64 {
		return func(quarter, _ int) float64 { return values[quarter] }
	}
	for name, test := range map[string]struct {
		column string
		of     func(quarter, n int) float64
		passed bool
	}{
		"flat":                                {"rss_anon", quarters(100*mb, 100*mb, 100*mb, 100*mb), true},
		"warm-up does not count":              {"rss_anon", quarters(10*mb, 100*mb, 100*mb, 100*mb), true},
		"third quarter does not count":        {"rss_anon", quarters(100*mb, 100*mb, 900*mb, 100*mb), true},
		"5 % more":                            {"rss_anon", quarters(100*mb, 200*mb, 200*mb, 209.9*mb), true},
		"more than 5 %":                       {"rss_anon", quarters(100*mb, 200*mb, 200*mb, 210.1*mb), false},
		"small values have a floor":           {"descriptors", quarters(20, 20, 20, 25), true},
		"more than the floor":                 {"descriptors", quarters(20, 20, 20, 26), false},
		"less":                                {"goroutines", quarters(900, 900, 500, 400), true},
		"a spike counts by its mean":          {"goroutines", func(_, n int) float64 { return map[bool]float64{true: 459, false: 400}[n == 20] }, true},
		"a slow leak":                         {"goroutines", func(_, n int) float64 { return 400 + 2*float64(n) }, false},
		"a log grows evenly":                  {"log", func(_, n int) float64 { return 1e6 * float64(n) }, true},
		"a log grows more and more":           {"log", func(_, n int) float64 { return 1e6 * float64(n*n) }, false},
		"a log that is rotated":               {"log", func(_, n int) float64 { return 1e6 * float64(n%5) }, true},
		"CPU time is shown only":              {"cpu", func(_, n int) float64 { return float64(n * n) }, true},
		"a database that is compacted":        {"database", func(_, n int) float64 { return float64(10+n%6) * mb }, true},
		"a database that is never made small": {"database", func(_, n int) float64 { return float64(10+n) * mb }, false},
	} {
		t.Run(name, func(t *testing.T) {
			v := verdictOf(t, seriesOf(test.of), test.column)
			if got := v.passed(); got != test.passed {
				t.Errorf("quarters %v: passed = %v", v.quarters, got)
			}
			err := failures([]verdict{v}, newTally())
			if (err == nil) != test.passed {
				t.Errorf("failures() = %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), v.measure.title) {
				t.Errorf("failures() = %v, which does not name %s", err, v.measure.title)
			}
		})
	}
}

func TestJudgeNeedsSamplesInEachQuarter(t *testing.T) {
	samples := slices.DeleteFunc(seriesOf(func(int, int) float64 { return 1 }), func(s sample) bool {
		return s.at >= time.Minute && s.at < 2*time.Minute
	})
	if verdicts, err := judge(samples, time.Minute); err == nil {
		t.Errorf("a quarter without samples is judged: %v", verdicts)
	}
}

func TestJudgeSeparatesDaemons(t *testing.T) {
	samples := seriesOf(func(int, int) float64 { return 100 })
	for _, s := range seriesOf(func(quarter, _ int) float64 { return float64(100 * quarter) }) {
		s.daemon = restarted
		samples = append(samples, s)
	}
	verdicts, err := judge(samples, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.measure.column == "goroutines" && v.passed() != (v.daemon == lasting) {
			t.Errorf("daemon %s, quarters %v: passed = %v", v.daemon, v.quarters, v.passed())
		}
	}
}

func TestUnexpectedErrorsFail(t *testing.T) {
	counts := newTally()
	counts.Unexpected["exec, lasting: NotFound"] = 1
	if err := failures(nil, counts); err == nil {
		t.Error("an unexpected error passes")
	}
}

func TestSamplesAreReadAsWritten(t *testing.T) {
	want := seriesOf(func(quarter, n int) float64 { return float64(quarter) + float64(n)/8 })
	lines := []string{"header"}
	for range len(measures()) + 2 {
		lines[0] += ",x"
	}
	for _, s := range want {
		lines = append(lines, strings.Join(s.record(), ","))
	}
	file := filepath.Join(t.TempDir(), samplesFile)
	testkit.WriteFile(t, file, strings.Join(lines, "\n")+"\n")
	got, err := readSamples(file)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, func(a, b sample) bool {
		return a.daemon == b.daemon && a.at == b.at && a.pid == b.pid && slices.Equal(a.values, b.values)
	}) {
		t.Errorf("read %v, want %v", got, want)
	}
	testkit.WriteFile(t, file, strings.Join(lines, "\n")+"\nlasting,1,2\n")
	if _, err := readSamples(file); err == nil {
		t.Error("a truncated line is read")
	}
}

func TestQuarterHasWholeNumberOfPeriods(t *testing.T) {
	for _, test := range []struct{ quarter, about, want time.Duration }{
		{30 * time.Minute, 3 * time.Minute, 3 * time.Minute},
		{30 * time.Minute, 4 * time.Minute, 30 * time.Minute / 8},
		{time.Minute, 3 * time.Minute, time.Minute},
	} {
		got := periodIn(test.quarter, test.about)
		if got != test.want {
			t.Errorf("periodIn(%s, %s) = %s, want %s", test.quarter, test.about, got, test.want)
		}
		if whole := float64(test.quarter) / float64(got); math.Abs(whole-math.Round(whole)) > 1e-9 {
			t.Errorf("a quarter has %f periods", whole)
		}
	}
}
