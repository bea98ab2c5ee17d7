package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/drawing"
)

// drawn is about how many points a line has.
const drawn = 240

// picture is a plot of some measures of all daemons.
type picture struct {
	file, title, unit string
	columns           []string
}

func pictures() []picture {
	return []picture{
		{"soak-memory.svg", "Memory of the daemons", "MB", []string{"rss_anon", "heap"}},
		{"soak-counts.svg", "Goroutines and open descriptors of the daemons", "number", []string{"goroutines", "descriptors"}},
		{"soak-sizes.svg", "Database and logs of the daemons", "MB", []string{"database", "log"}},
	}
}

// draw draws all measures into a directory.
func draw(dir string, samples []sample) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("create the directory for plots: %w", err)
	}
	for _, p := range pictures() {
		file, err := os.Create(filepath.Join(dir, p.file))
		if err != nil {
			return fmt.Errorf("draw %s: %w", p.file, err)
		}
		defer file.Close()
		if err := p.draw(file, samples); err != nil {
			return fmt.Errorf("draw %s: %w", p.file, err)
		}
		if err := file.Close(); err != nil {
			return fmt.Errorf("draw %s: %w", p.file, err)
		}
	}
	return nil
}

// draw draws a line for each measure of each daemon. The lines of the second measure are
// dashed.
func (p picture) draw(w io.Writer, samples []sample) error {
	canvas := drawing.New(p.title, "minutes", p.unit)
	canvas.Y.Min = 0
	canvas.X.Tick.Marker, canvas.Y.Tick.Marker = plot.TickerFunc(drawing.Plain), plot.TickerFunc(drawing.Plain)
	highest := 0.0
	for i, daemon := range daemonsOf(samples) {
		for j, name := range p.columns {
			points, title := p.line(samples, daemon, name)
			line, err := plotter.NewLine(points)
			if err != nil {
				return err
			}
			line.Color, line.Width = drawing.Shade(i), vg.Points(1.5)
			if j > 0 {
				line.Dashes = []vg.Length{vg.Points(4), vg.Points(2)}
			}
			canvas.Add(line)
			canvas.Legend.Add(title+", "+daemon, line)
			for _, point := range points {
				highest = max(highest, point.Y)
			}
		}
	}
	// The legend is above the lines.
	canvas.Y.Max = highest * 1.4
	return drawing.Render(w, canvas)
}

// line returns the means of a measure in short intervals.
func (p picture) line(samples []sample, daemon, name string) (points plotter.XYs, title string) {
	column, scale := 0, megabyte
	for i, m := range measures() {
		if m.column == name {
			column, title = i, m.title
		}
	}
	if p.unit == "number" {
		scale = 1
	}
	interval := (samples[len(samples)-1].at - samples[0].at) / drawn
	var sum, count float64
	var begin time.Duration
	for _, s := range samples {
		if s.daemon != daemon {
			continue
		}
		if count > 0 && s.at-begin >= interval {
			points = append(points, plotter.XY{X: begin.Minutes(), Y: sum / count * scale})
			sum, count = 0, 0
		}
		if count == 0 {
			begin = s.at
		}
		sum += s.values[column]
		count++
	}
	if count > 0 {
		points = append(points, plotter.XY{X: begin.Minutes(), Y: sum / count * scale})
	}
	return points, title
}
