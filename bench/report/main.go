// Command report writes docs/benchmarks.md from the figures of bench/endtoend and of
// page/test/bench.mjs, and the output of `go test -bench`, with plots. The text of the page is in
// benchmarks.md.tmpl.
//
// Reading map:
//
//	main.go     the command line
//	page.go     the page and its tables
//	plots.go    the plots
//	gobench.go  reads the output of go test -bench
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
)

// options are those of the command line.
type options struct {
	endToEnd, browser, benchmarks, template, page, plots string
}

func main() {
	var opts options
	flag.StringVar(&opts.endToEnd, "endtoend", ".cache/bench/endtoend.json", "figures of bench/endtoend")
	flag.StringVar(&opts.browser, "browser", ".cache/bench/page.json", "figures of make bench-page; a missing file leaves them out")
	flag.StringVar(&opts.benchmarks, "go", ".cache/bench/go.txt", "output of go test -bench; a missing file leaves its tables out")
	flag.StringVar(&opts.template, "template", "bench/report/benchmarks.md.tmpl", "the template of the page")
	flag.StringVar(&opts.page, "page", "docs/benchmarks.md", "the page to write")
	flag.StringVar(&opts.plots, "plots", "docs/benchmarks", "the directory for plots")
	flag.Parse()
	if err := write(opts, slog.New(slog.NewTextHandler(os.Stderr, nil))); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// write writes the page and its plots.
func write(opts options, logger *slog.Logger) error {
	run, err := figures.Read(opts.endToEnd)
	if err != nil {
		return err
	}
	browser, err := figures.Read(opts.browser)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	benchmarks, err := readBenchmarks(opts.benchmarks, logger)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(opts.plots, 0o750); err != nil {
		return fmt.Errorf("create a directory for plots: %w", err)
	}
	for name, draw := range plots(run) {
		if err := create(filepath.Join(opts.plots, name), draw); err != nil {
			return err
		}
	}
	words, err := os.ReadFile(opts.template)
	if err != nil {
		return fmt.Errorf("read the template of the page: %w", err)
	}
	return create(opts.page, func(w io.Writer) error { return page(w, string(words), run, browser, benchmarks) })
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
