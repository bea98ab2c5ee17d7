package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// figure is one measured value, in words.
type figure struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// report collects figures in the order in which they were measured.
type report struct {
	sizes   sizes
	figures []figure
}

func (r *report) add(name, format string, args ...any) {
	r.figures = append(r.figures, figure{Name: name, Value: fmt.Sprintf(format, args...)})
}

// took adds a duration.
func (r *report) took(name string, d time.Duration) {
	r.add(name, "%.2f s", d.Seconds())
}

// latencies adds the median and the 99th percentile.
func (r *report) latencies(name string, all []time.Duration) {
	if len(all) == 0 {
		return
	}
	slices.Sort(all)
	at := func(p float64) float64 {
		return float64(all[int(p*float64(len(all)-1))].Microseconds()) / 1000
	}
	r.add(name, "p50 %.1f ms, p99 %.1f ms (%d)", at(0.50), at(0.99), len(all))
}

// memory adds what the daemon holds for itself and at its highest.
func (r *report) memory(ctx context.Context, name string, d *daemon) error {
	anon, peak, err := d.memory(ctx)
	if err != nil {
		return err
	}
	r.add("memory, "+name, "%d MB RssAnon, %d MB highest RSS", anon>>20, peak>>20)
	return nil
}

func (r *report) write(w io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r.figures)
	}
	table := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintf(table, "| what (%d images, %d containers, %d volumes)\t| measured\t|\n",
		r.sizes.images, r.sizes.containers, r.sizes.volumes)
	fmt.Fprint(table, "| ---\t| ---\t|\n")
	for _, f := range r.figures {
		fmt.Fprintf(table, "| %s\t| %s\t|\n", f.Name, f.Value)
	}
	return table.Flush()
}
