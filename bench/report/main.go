// Command report makes docs/benchmarks.md of what was measured: the figures of
// bench/endtoend and the output of `go test -bench`, with plots. The words around
// them are in benchmarks.md.tmpl, which is the place to change the page.
package main

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
)

// options are the command line.
type options struct {
	endToEnd, benchmarks, template, page, plots string
}

func main() {
	var opts options
	flag.StringVar(&opts.endToEnd, "endtoend", ".cache/bench/endtoend.json", "figures of bench/endtoend")
	flag.StringVar(&opts.benchmarks, "go", ".cache/bench/go.txt", "output of go test -bench; a file that is not there leaves its tables out")
	flag.StringVar(&opts.template, "template", "bench/report/benchmarks.md.tmpl", "the words of the page")
	flag.StringVar(&opts.page, "page", "docs/benchmarks.md", "the page to write")
	flag.StringVar(&opts.plots, "plots", "docs/benchmarks", "the directory for plots")
	flag.Parse()
	if err := write(opts, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// write makes the page and its plots.
func write(opts options, logger *slog.Logger) error {
	run, err := figures.Read(opts.endToEnd)
	if err != nil {
		return err
	}
	benchmarks, err := readBenchmarks(opts.benchmarks, logger)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(opts.plots, 0o750); err != nil {
		return fmt.Errorf("make a directory for plots: %w", err)
	}
	for name, draw := range plots(run) {
		if err := create(filepath.Join(opts.plots, name), draw); err != nil {
			return err
		}
	}
	words, err := os.ReadFile(opts.template)
	if err != nil {
		return fmt.Errorf("read the words of the page: %w", err)
	}
	return create(opts.page, func(w io.Writer) error { return page(w, string(words), run, benchmarks) })
}

// create writes a file.
func create(name string, write func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := write(file); err != nil {
		file.Close()
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
