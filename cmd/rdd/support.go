package main

import (
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/bundle"
)

type supportCmd struct {
	File string `arg:"" optional:"" help:"Where to write it; - for standard output. Default: a file in the current directory, named after instance and time."`
}

// Run implements the command.
func (c *supportCmd) Run(s *session) error {
	subject := bundle.Subject{Patient: s.patient(), Environment: os.Environ()}
	if c.File == "-" {
		_, err := bundle.Write(s.ctx, subject, s.out)
		return err
	}
	path := c.File
	if path == "" {
		path = bundle.Name(s.instance.Name, time.Now())
	}
	fmt.Fprintln(s.err, "collecting; this takes up to half a minute")
	manifest, err := bundle.WriteFile(s.ctx, subject, path)
	if err != nil {
		return err
	}
	size := ""
	if info, err := os.Stat(path); err == nil {
		size = ", " + resource.NewQuantity(info.Size()>>10<<10, resource.BinarySI).String()
	}
	fmt.Fprintf(s.out, "%s (%d files%s)\n", path, len(manifest.Entries)-len(manifest.Missing()), size)
	if missing := manifest.Missing(); len(missing) > 0 {
		fmt.Fprintf(s.out, "%d more could not be had, such as %s: %s; its manifest.json lists them\n",
			len(missing), missing[0].Name, missing[0].Error)
	}
	fmt.Fprintln(s.err, "secrets that are known, and what looks like one, were taken out; look through it before you hand it on")
	return nil
}
