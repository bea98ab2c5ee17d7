package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

type svcPathsCmd struct {
	Key    string `arg:"" optional:"" predictor:"path" help:"Path to print. Default: all."`
	Output string `short:"o" enum:"table,json,yaml,shell" default:"table" placeholder:"FORMAT" help:"table, json, yaml, or shell (KEY='VALUE' lines, for eval)."`
}

// Run implements the command. It works without a daemon, and with one that hangs.
func (c *svcPathsCmd) Run(s *session) error {
	paths := s.instance.Paths()
	if c.Key != "" {
		path, err := pick(paths, c.Key)
		if err != nil {
			return err
		}
		if c.Output == "table" {
			fmt.Fprintln(s.out, path.Value)
			return nil
		}
		paths = []instance.Path{path}
	}
	object := make(map[string]string, len(paths))
	for _, path := range paths {
		object[path.Key] = path.Value
	}
	return s.show(output{c.Output}, object, func() error {
		w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		for _, path := range paths {
			if c.Output == "shell" {
				fmt.Fprintf(s.out, "%s=%s\n", path.Key, shellQuoted(path.Value))
				continue
			}
			fmt.Fprintf(w, "%s\t%s\n", path.Key, path.Value)
		}
		return w.Flush()
	})
}

func pick(paths []instance.Path, key string) (instance.Path, error) {
	var keys []string
	for _, path := range paths {
		if path.Key == key {
			return path, nil
		}
		keys = append(keys, path.Key)
	}
	return instance.Path{}, &usageError{fmt.Sprintf("unknown path %q: use one of %s", key, strings.Join(keys, ", "))}
}

// shellQuoted returns text as one word for a POSIX shell.
func shellQuoted(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
