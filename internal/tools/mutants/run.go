package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// campaign is one run of the command.
type campaign struct {
	options

	printed io.Writer
	execute executor
	// passed has the commands that passed without a defect.
	passed map[string]bool
}

// run asks the layers about the defects that the pattern selects, and writes the table of
// all of them.
func (c *campaign) run(ctx context.Context, defects []defect) error {
	var invalid []error
	for i := range defects {
		d := &defects[i]
		if c.isReport || !c.pattern.MatchString(d.group+"/"+d.name) {
			continue
		}
		err := c.ask(ctx, d)
		if _, ok := errors.AsType[*invalidError](err); ok {
			fmt.Fprintln(c.printed, err)
			invalid = append(invalid, err)
			continue
		}
		if err != nil {
			return err
		}
		if err := c.writeTable(defects); err != nil {
			return err
		}
	}
	if err := c.writeTable(defects); err != nil {
		return err
	}
	return errors.Join(append(invalid, c.summary(defects))...)
}

// invalidError reports a defect that does not apply or does not compile. The others are
// asked about.
type invalidError struct{ message string }

func (e *invalidError) Error() string { return e.message }

// ask asks the layers about a defect, until one has found it.
func (c *campaign) ask(ctx context.Context, d *defect) error {
	a, err := c.recall(d)
	if err != nil {
		return err
	}
	for _, l := range d.layers {
		o, isKept := a.Outcomes[l]
		if !slices.Contains(c.layers, l) || !isKept && a.isFound() && !c.all {
			continue
		}
		if !isKept {
			if o, err = c.askLayer(ctx, l, d); err != nil {
				return err
			}
			a.Outcomes[l] = o
			if err := c.keep(d, a); err != nil {
				return err
			}
		}
		c.print(d, l, o, isKept)
	}
	return nil
}

func (c *campaign) print(d *defect, l layer, o outcome, isKept bool) {
	text := "NOT FOUND by " + string(l)
	if o.Found {
		text = fmt.Sprintf("found by %s: %s", l, strings.Join(o.By, "; "))
	}
	if isKept {
		text += " (kept)"
	}
	fmt.Fprintf(c.printed, "%s %s: %s\n", time.Now().Format(time.TimeOnly), d.name, text)
}

// askLayer asks a layer about a defect, after it has passed without one.
func (c *campaign) askLayer(ctx context.Context, l layer, d *defect) (o outcome, err error) {
	if o.Code, o.Tests, err = c.hashes(l, d); err != nil {
		return o, err
	}
	if err := os.MkdirAll(c.out, 0o750); err != nil {
		return o, err
	}
	dir, err := os.MkdirTemp(c.out, "build")
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, filetree.Remove(dir)) }()
	overlay, err := d.overlay(c.root, dir)
	if err != nil {
		return o, err
	}
	if err := c.pass(ctx, l, d, dir); err != nil {
		return o, err
	}
	begun := time.Now()
	output, failed, err := c.askWith(ctx, l, d, overlay, dir)
	if err != nil {
		return o, err
	}
	if o.Seconds = time.Since(begun).Seconds(); failed {
		o.Found, o.By = true, findings(l, output)
	}
	return o, c.log(d, l, output)
}

// askWith runs the commands that ask a layer.
func (c *campaign) askWith(ctx context.Context, l layer, d *defect, overlay, dir string) (output string, failed bool, err error) {
	commands := c.asking(l, d, overlay, dir)
	for i, one := range commands {
		output, failed, err = c.execute(ctx, c.root, one)
		switch {
		case ctx.Err() != nil:
			return "", false, ctx.Err()
		case err != nil:
			return "", false, fmt.Errorf("run %s: %w", strings.Join(one.args, " "), err)
		case failed && (notBuilt(output) || i < len(commands)-1):
			return "", false, &invalidError{fmt.Sprintf("defect %s does not compile:\n%s", d.name, output)}
		}
	}
	return output, failed, nil
}

// pass returns an error if a layer fails without a defect. It is asked once.
func (c *campaign) pass(ctx context.Context, l layer, d *defect, dir string) error {
	commands := c.asking(l, d, "", dir)
	last := commands[len(commands)-1]
	key := fmt.Sprint(l, d.packages, d.tests)
	if l != unit {
		key = fmt.Sprint(l, d.bats)
	}
	if c.passed[key] {
		return nil
	}
	for _, one := range commands {
		output, failed, err := c.execute(ctx, c.root, one)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil || failed {
			return errors.Join(err, fmt.Errorf("%s fails without a defect: fix it first:\n%s", strings.Join(last.args, " "), output))
		}
	}
	c.passed[key] = true
	return nil
}

// log keeps the output of a layer, to find out what has found a defect.
func (c *campaign) log(d *defect, l layer, output string) error {
	const most = 256 << 10
	dir := filepath.Join(c.out, "logs")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, d.name+"-"+string(l)+".log"), []byte(output[:min(len(output), most)]), 0o600)
}
