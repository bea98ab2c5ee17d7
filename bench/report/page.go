package main

import (
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
)

// page writes the page. Its text/template can show tables of groups of figures (table),
// the benchmarks (benchmarks), the run (run), and the one of a browser (browser), which is nil
// if there was none, with a table of all its figures (browserTable).
func page(w io.Writer, words string, run, browser *figures.Run, benchmarks []*family) error {
	functions := template.FuncMap{
		"run":          func() *figures.Run { return run },
		"browser":      func() *figures.Run { return browser },
		"gigabytes":    func(bytes int64) string { return fmt.Sprintf("%.0f GB", float64(bytes)/(1<<30)) },
		"benchmarks":   func() []*family { return benchmarks },
		"table":        func(groups ...string) (string, error) { return table(run.Lines(groups...)) },
		"browserTable": func() (string, error) { return table(browser.Lines(figures.Browser)) },
	}
	parsed, err := template.New("page").Funcs(functions).Parse(words)
	if err != nil {
		return fmt.Errorf("read the template of the page: %w", err)
	}
	return parsed.Execute(w, nil)
}

func table(lines []figures.Line) (string, error) {
	var text strings.Builder
	err := figures.WriteTable(&text, lines)
	return strings.TrimRight(text.String(), "\n"), err
}
