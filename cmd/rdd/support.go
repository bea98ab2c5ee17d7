package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/bundle"
)

type supportCmd struct {
	output
	File string `arg:"" optional:"" predictor:"file" help:"File to write; - for standard output. Default: a file in the current directory, named after instance and time."`
}

// Run implements the command.
func (c *supportCmd) Run(s *session) error {
	subject := bundle.Subject{Target: s.doctorTarget(), Environment: os.Environ()}
	if c.File == "-" && c.structured() {
		return &usageError{"the bundle is written to the standard output: leave out --output, or name a file"}
	}
	if c.File == "-" {
		_, err := bundle.Write(s.ctx, subject, s.out)
		return err
	}
	path := c.File
	if path == "" {
		path = bundle.Name(s.instance.Name, time.Now())
	}
	fmt.Fprintln(s.err, "collecting; this can take half a minute")
	manifest, err := bundle.WriteFile(s.ctx, subject, path)
	if err != nil {
		return err
	}
	result := collected{path, 0, manifest}
	if info, err := os.Stat(path); err == nil {
		result.Bytes = info.Size()
	}
	if err := s.show(c.output, result, func() error { return result.print(s.out) }); err != nil {
		return err
	}
	fmt.Fprintln(s.err, "known secrets and text that looks like a secret were removed; review the file before you share it")
	return nil
}

// collected is a bundle that was written.
type collected struct {
	File string `json:"file"`
	// Bytes is the size of the file; 0 if it is not known.
	Bytes    int64           `json:"bytes,omitempty"`
	Manifest bundle.Manifest `json:"manifest"`
}

func (c collected) print(out io.Writer) error {
	size := ""
	if c.Bytes > 0 {
		size = ", " + resource.NewQuantity(c.Bytes>>10<<10, resource.BinarySI).String()
	}
	missing := c.Manifest.Missing()
	fmt.Fprintf(out, "%s (%d files%s)\n", c.File, len(c.Manifest.Entries)-len(missing), size)
	if len(missing) > 0 {
		fmt.Fprintf(out, "%d files are missing or incomplete, such as %s: %s; manifest.json in the bundle lists them\n",
			len(missing), missing[0].Name, missing[0].Error)
	}
	return nil
}
