package main

import (
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/rancher-sandbox/rancher-desktop-daemon/bench/report/figures"
)

// page writes the page. Its text/template can show tables of groups of figures (table),
// the benchmarks (benchmarks), and the run (run).
func page(w io.Writer, words string, run *figures.Run, benchmarks []*family) error {
	functions := template.FuncMap{
		"run":        func() *figures.Run { return run },
		"gigabytes":  func(bytes int64) string { return fmt.Sprintf("%.0f GB", float64(bytes)/(1<<30)) },
		"benchmarks": func() []*family { return benchmarks },
		"table": func(groups ...string) (string, error) {
			var text strings.Builder
			err := figures.WriteTable(&text, run.Lines(groups...))
			return strings.TrimRight(text.String(), "\n"), err
		},
	}
	parsed, err := template.New("page").Funcs(functions).Parse(words)
	if err != nil {
		return fmt.Errorf("read the template of the page: %w", err)
	}
	return parsed.Execute(w, nil)
}
