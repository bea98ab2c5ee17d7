// Package drawing has what all plots of this repository have in common: their size, fonts,
// colours and axes.
package drawing

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
)

// Size of a plot.
const (
	width  = 7 * vg.Inch
	height = 4 * vg.Inch
)

// New returns a plot with a white background, readable on a dark page, too.
func New(title, x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.White
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.Padding = vg.Points(8)
	for _, style := range []*text.Style{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle,
		&p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle,
	} {
		style.Font.Variant = "Sans"
	}
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding = vg.Points(3)
	p.Legend.XOffs, p.Legend.YOffs = vg.Points(8), vg.Points(-4)
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = color.Gray{Y: 225}, color.Gray{Y: 225}
	p.Add(grid)
	return p
}

// Logarithmic makes an axis logarithmic.
func Logarithmic(axis *plot.Axis) {
	axis.Scale = plot.LogScale{}
	axis.Tick.Marker = plot.TickerFunc(decades)
}

// decades marks 1, 2 and 5 of each power of ten, in plain numbers.
func decades(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Floor(math.Log10(low)); power <= math.Ceil(math.Log10(high)); power++ {
		for _, digit := range []float64{1, 2, 5} {
			value := digit * math.Pow(10, power)
			// A tolerance, for a limit that is a mark itself.
			if value >= low*0.999 && value <= high*1.001 {
				ticks = append(ticks, plot.Tick{Value: value, Label: figures.Number(value)})
			}
		}
	}
	return ticks
}

// Plain marks round numbers on a linear axis, not more than eleven.
func Plain(low, high float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10(high-low)))
	for _, finer := range []float64{10, 5, 2} {
		if (high-low)/(step/finer) <= 10 {
			step /= finer
			break
		}
	}
	var ticks []plot.Tick
	for value := math.Ceil(low/step) * step; value <= high; value += step {
		ticks = append(ticks, plot.Tick{Value: value, Label: figures.Number(value)})
	}
	return ticks
}

// Shade gives each line a colour of another lightness, for print.
func Shade(i int) color.Color {
	shades := []color.Color{
		color.RGBA{R: 0x00, G: 0x5a, B: 0xb5, A: 0xff}, color.RGBA{R: 0xdc, G: 0x32, B: 0x20, A: 0xff},
		color.RGBA{R: 0x2a, G: 0x8a, B: 0x4a, A: 0xff}, color.RGBA{R: 0xe0, G: 0x9a, B: 0x00, A: 0xff},
		color.RGBA{R: 0x6a, G: 0x3d, B: 0x9a, A: 0xff}, color.RGBA{R: 0x66, G: 0x66, B: 0x66, A: 0xff},
	}
	return shades[i%len(shades)]
}

// margin is how far a logarithmic axis goes beyond the values, as a factor.
const margin = 1.15

// sound gives a logarithmic axis a valid range, also for no value and for a single one.
func sound(axis *plot.Axis) {
	if _, logarithmic := axis.Scale.(plot.LogScale); !logarithmic {
		return
	}
	switch {
	case math.IsInf(axis.Min, 0) || axis.Min <= 0:
		axis.Min, axis.Max = 1, 10
	case axis.Min == axis.Max:
		axis.Min, axis.Max = axis.Min/2, axis.Max*2
	default:
		axis.Min, axis.Max = axis.Min/margin, axis.Max*margin
	}
}

// Render writes a plot as SVG. Its fonts have the widths of one that few machines have.
func Render(w io.Writer, p *plot.Plot) error {
	sound(&p.X)
	sound(&p.Y)
	canvas := vgsvg.New(width, height)
	p.Draw(draw.New(canvas))
	var image bytes.Buffer
	if _, err := canvas.WriteTo(&image); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	const family = "font-family:Liberation Sans"
	svg := bytes.ReplaceAll(image.Bytes(), []byte(family), []byte(family+",Arial,Helvetica,sans-serif"))
	_, err := w.Write(svg)
	return err
}
