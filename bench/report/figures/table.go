package figures

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// few is the maximum number of values for which a table shows their range. For more
// values it shows their number.
const few = 20

// Line is one line of a table, as text.
type Line struct {
	Measure, Goal, Measured, Baseline, Ratio string
}

// Lines returns the lines of the figures of some groups, one group after the other, or
// of all groups if none is named.
func (r *Run) Lines(groups ...string) []Line {
	if len(groups) == 0 {
		groups = []string{Start, Sync, Events, Requests, Streams, Memory, Idle, Clients, Scale}
	}
	var lines []Line
	for _, group := range groups {
		for _, f := range r.Figures {
			if f.Group != group {
				continue
			}
			for _, row := range f.Rows {
				lines = append(lines, f.line(row))
			}
		}
	}
	return lines
}

// line returns the line of one statistic, with its goal and whether it is met.
func (f *Figure) line(row Row) Line {
	measured, baseline := Percentile(f.Values, row.Percentile), Percentile(f.Baseline, row.Percentile)
	line := Line{
		Measure:  f.Name,
		Measured: f.words(f.Values, row.Percentile),
		Baseline: f.words(f.Baseline, row.Percentile),
		Ratio:    ratioWords(Ratio(measured, baseline)),
	}
	if len(f.Rows) > 1 {
		line.Measure += fmt.Sprintf(", p%g", row.Percentile)
	}
	if row.Goal != nil {
		line.Goal = Value(*row.Goal, f.Unit)
		switch {
		case math.IsNaN(measured):
		case measured <= *row.Goal:
			line.Goal += ", met"
		default:
			line.Goal += ", missed"
		}
	}
	return line
}

// words returns the statistic as text, with the range or the number of its values.
func (f *Figure) words(values []float64, percentile float64) string {
	if len(values) == 0 {
		return ""
	}
	text := Value(Percentile(values, percentile), f.Unit)
	low, high := Number(slices.Min(values)), Number(slices.Max(values))
	switch {
	case len(values) > few:
		text += fmt.Sprintf(" (n=%d)", len(values))
	case low != high:
		text += fmt.Sprintf(" (%s to %s)", low, high)
	}
	return text
}

// Value returns a value with its unit, as text.
func Value(value float64, unit string) string {
	switch unit {
	case Writes, PerEvent, Times:
		return Number(value)
	case Percent, PerSecond:
		return Number(value) + unit
	default:
		return Number(value) + " " + unit
	}
}

// Number returns a number with three significant digits, and at most three decimals.
func Number(value float64) string {
	digits := 3
	for limit := 1.0; digits > 0 && math.Abs(value) >= limit; limit *= 10 {
		digits--
	}
	text := strconv.FormatFloat(value, 'f', digits, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return cmp.Or(text, "0")
}

func ratioWords(ratio float64) string {
	if math.IsNaN(ratio) || math.IsInf(ratio, 0) {
		return ""
	}
	return strconv.FormatFloat(ratio, 'f', 1, 64)
}

// WriteTable writes lines as an aligned Markdown table without empty columns.
func WriteTable(w io.Writer, lines []Line) error {
	table := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	columns := []struct {
		title string
		cell  func(Line) string
	}{
		{"measure", func(l Line) string { return l.Measure }},
		{"goal", func(l Line) string { return l.Goal }},
		{"measured", func(l Line) string { return l.Measured }},
		{"baseline", func(l Line) string { return l.Baseline }},
		{"ratio", func(l Line) string { return l.Ratio }},
	}
	rows := make([]string, len(lines)+2)
	for _, column := range columns {
		empty := !slices.ContainsFunc(lines, func(l Line) bool { return column.cell(l) != "" })
		if empty && column.title != "measure" {
			continue
		}
		rows[0] += "| " + column.title + "\t"
		rows[1] += "| ---\t"
		for i, l := range lines {
			rows[i+2] += "| " + column.cell(l) + "\t"
		}
	}
	fmt.Fprintln(table, strings.Join(rows, "|\n")+"|")
	return table.Flush()
}
