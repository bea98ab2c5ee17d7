package main

import (
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/bundle"
)

type supportCmd struct {
	File string `arg:"" optional:"" help:"File to write; - for standard output. Default: a file in the current directory, named after instance and time."`
}

// Run implements the command.
func (c *supportCmd) Run(s *session) error {
	subject := bundle.Subject{Target: s.doctorTarget(), Environment: os.Environ()}
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
	size := ""
	if info, err := os.Stat(path); err == nil {
		size = ", " + resource.NewQuantity(info.Size()>>10<<10, resource.BinarySI).String()
	}
	fmt.Fprintf(s.out, "%s (%d files%s)\n", path, len(manifest.Entries)-len(manifest.Missing()), size)
	if missing := manifest.Missing(); len(missing) > 0 {
		fmt.Fprintf(s.out, "%d files are missing or incomplete, such as %s: %s; manifest.json in the bundle lists them\n",
			len(missing), missing[0].Name, missing[0].Error)
	}
	fmt.Fprintln(s.err, "known secrets and text that looks like a secret were removed; review the file before you share it")
	return nil
}
