package main

import (
	"fmt"
	"image/color"
	"io"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/drawing"
	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
)

// plots returns the drawers of all plots by file name.
func plots(run *figures.Run) map[string]func(io.Writer) error {
	return map[string]func(io.Writer) error{
		"sync.svg": func(w io.Writer) error {
			p := drawing.New("Full sync, mirrors absent, with 100 containers and 100 volumes", "images", "seconds")
			drawing.Logarithmic(&p.X)
			drawing.Logarithmic(&p.Y)
			return drawCurves(w, p, run, figures.CurveSync)
		},
		"memory.svg": func(w io.Writer) error {
			p := drawing.New("Private memory of the daemon after a full sync", "mirrors", "RssAnon, MB")
			drawing.Logarithmic(&p.X)
			p.Y.Min = 0
			p.Y.Tick.Marker = plot.TickerFunc(drawing.Plain)
			return drawCurves(w, p, run, figures.CurveMemory)
		},
		"latency.svg": func(w io.Writer) error { return drawLatency(w, run) },
	}
}

// drawCurves draws all curves of a name, one for each subject.
func drawCurves(w io.Writer, p *plot.Plot, run *figures.Run, name string) error {
	i := 0
	for _, curve := range run.Curves {
		if curve.Name != name {
			continue
		}
		var points plotter.XYs
		for _, point := range curve.Points {
			points = append(points, plotter.XY{X: float64(point.N), Y: point.Value})
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return fmt.Errorf("draw %s: %w", name, err)
		}
		line.Color, dots.Color = drawing.Shade(i), drawing.Shade(i)
		if curve.Subject == figures.SubjectGoal {
			line.Color, dots.Color = color.Gray{Y: 130}, color.Gray{Y: 130}
			line.Dashes = []vg.Length{vg.Points(2), vg.Points(3)}
		}
		line.Width = vg.Points(2)
		dots.Shape, dots.Radius = draw.CircleGlyph{}, vg.Points(3)
		p.Add(line, dots)
		p.Legend.Add(curve.Subject, line, dots)
		i++
	}
	return drawing.Render(w, p)
}

// drawLatency draws the share of events by latency.
func drawLatency(w io.Writer, run *figures.Run) error {
	p := drawing.New("From the return of a Docker call to the event of a watch over TLS", "milliseconds", "share of events, %")
	drawing.Logarithmic(&p.X)
	p.Y.Min, p.Y.Max = 0, 100
	p.Y.Tick.Marker = plot.TickerFunc(drawing.Plain)
	i := 0
	for _, f := range run.Figures {
		if f.Group != figures.Events || f.Unit != figures.Milliseconds {
			continue
		}
		_, what, found := strings.Cut(f.Name, ", ")
		if !found {
			what = f.Name
		}
		if err := addDistribution(p, what, drawing.Shade(i), nil, f.Values); err != nil {
			return err
		}
		dashes := []vg.Length{vg.Points(5), vg.Points(3)}
		if err := addDistribution(p, what+", baseline", drawing.Shade(i), dashes, f.Baseline); err != nil {
			return err
		}
		i++
	}
	return drawing.Render(w, p)
}

// addDistribution adds the line of one distribution, if there are values.
func addDistribution(p *plot.Plot, name string, c color.Color, dashes []vg.Length, values []float64) error {
	if len(values) == 0 {
		return nil
	}
	line, err := plotter.NewLine(distribution(values))
	if err != nil {
		return fmt.Errorf("draw latencies: %w", err)
	}
	line.StepStyle = plotter.PostStep
	line.Color, line.Width, line.Dashes = c, vg.Points(2), dashes
	p.Add(line)
	p.Legend.Add(name, line)
	return nil
}

// least is the smallest latency of a plot in milliseconds: a logarithmic axis has no
// zero.
const least = 0.05

func distribution(values []float64) plotter.XYs {
	var points plotter.XYs
	for _, step := range figures.Distribution(values) {
		points = append(points, plotter.XY{X: max(step.Value, least), Y: 100 * step.Share})
	}
	return points
}
