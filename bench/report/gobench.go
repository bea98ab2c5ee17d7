package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchunit"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
)

// baselinePrefix begins the names of benchmarks of the baseline.
const baselinePrefix = "Baseline"

// family is one benchmark function with its sub-benchmarks: a table.
type family struct {
	Name  string
	Units []string
	Cases []*benchmark
	// HasRatio is set when a case has one.
	HasRatio bool
}

// benchmark is one case, measured once or repeatedly.
type benchmark struct {
	Name   string
	values map[string][]float64
	// ratio is that of the baseline to it; zero when there is none.
	ratio float64
}

// readBenchmarks reads the output of go test -bench. A missing file has no benchmarks.
func readBenchmarks(file string, logger *slog.Logger) ([]*family, error) {
	input, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read benchmarks: %w", err)
	}
	defer input.Close()
	return parseBenchmarks(input, file, logger)
}

func parseBenchmarks(input io.Reader, file string, logger *slog.Logger) ([]*family, error) {
	var families []*family
	reader := benchfmt.NewReader(input, file)
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.Result:
			families = note(families, record)
		case *benchfmt.SyntaxError:
			// Tests print among their benchmarks, too.
			logger.Warn("a line is not understood", "err", record)
		}
	}
	if err := reader.Err(); err != nil {
		return nil, fmt.Errorf("read benchmarks: %w", err)
	}
	for _, f := range families {
		compare(f, families)
	}
	return families, nil
}

// note adds a result to its family.
func note(families []*family, result *benchfmt.Result) []*family {
	base, parts := result.Name.Parts()
	var sub []string
	for _, part := range parts {
		// The last one may be the number of processors, which the page has once.
		if text := string(part); !strings.HasPrefix(text, "-") {
			sub = append(sub, strings.TrimPrefix(text, "/"))
		}
	}
	at := slices.IndexFunc(families, func(f *family) bool { return f.Name == string(base) })
	if at < 0 {
		at = len(families)
		families = append(families, &family{Name: string(base)})
	}
	families[at].note(strings.Join(sub, "/"), result.Values)
	return families
}

func (f *family) note(name string, values []benchfmt.Value) {
	at := slices.IndexFunc(f.Cases, func(b *benchmark) bool { return b.Name == name })
	if at < 0 {
		at = len(f.Cases)
		f.Cases = append(f.Cases, &benchmark{Name: name, values: map[string][]float64{}})
	}
	for _, v := range values {
		if !slices.Contains(f.Units, v.Unit) {
			f.Units = append(f.Units, v.Unit)
		}
		f.Cases[at].values[v.Unit] = append(f.Cases[at].values[v.Unit], v.Value)
	}
}

// compare sets the ratios of the cases of f. A case of the baseline applies to every
// case that has all of its parts. That case can have more parts, such as the size of a
// pool, which the baseline lacks.
func compare(f *family, families []*family) {
	at := slices.IndexFunc(families, func(other *family) bool { return other.Name == baselinePrefix+f.Name })
	if at < 0 {
		return
	}
	unit := families[at].cost(f)
	for _, one := range f.Cases {
		for _, slow := range families[at].Cases {
			if covers(one.Name, slow.Name) && one.median(unit) > 0 {
				one.ratio = figures.Ratio(one.median(unit), slow.median(unit))
				f.HasRatio = true
			}
		}
	}
}

// cost returns the unit in which two families are compared: a benchmark's own metric,
// or else the time of an operation.
func (f *family) cost(other *family) string {
	for _, unit := range f.Units {
		if strings.HasPrefix(unit, "ms/") && slices.Contains(other.Units, unit) {
			return unit
		}
	}
	return "sec/op"
}

func covers(name, parts string) bool {
	have := strings.Split(name, "/")
	return !slices.ContainsFunc(strings.Split(parts, "/"), func(part string) bool { return !slices.Contains(have, part) })
}

func (b *benchmark) median(unit string) float64 { return figures.Percentile(b.values[unit], 50) }

// Value returns the median of a unit as text; it is empty when the case lacks it.
func (b *benchmark) Value(unit string) string {
	values := b.values[unit]
	if len(values) == 0 {
		return ""
	}
	switch unit {
	case "sec/op":
		return benchunit.Scale(b.median(unit), benchunit.Decimal) + "s"
	case "B/op":
		return benchunit.Scale(b.median(unit), benchunit.Binary) + "B"
	default:
		return figures.Number(b.median(unit))
	}
}

// Ratio returns the ratio of the baseline's cost to this one as text.
func (b *benchmark) Ratio() string {
	if b.ratio == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", b.ratio)
}

// Case returns the name for a table.
func (b *benchmark) Case() string { return cmp.Or(strings.ReplaceAll(b.Name, "/", ", "), "all") }
