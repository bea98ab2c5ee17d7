package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// defect is one deliberate defect.
type defect struct {
	name string
	// harm is what a user would suffer.
	harm string
	// group is what the defect belongs to, such as "hub". The groups "simulation" and
	// "chaos" are those that their layer is to find.
	group string
	// layers that can be asked.
	layers []layer
	// packages whose unit tests are asked, and tests, a pattern of their names; empty for
	// all.
	packages []string
	tests    string
	// bats is the file of end-to-end tests that is asked.
	bats string
	// unobservable says why no test can find the defect; empty for others.
	unobservable string
	// text is the file as a whole.
	text  string
	files []filePatch
}

// readDefects reads all defects of a directory, in the order of their names.
func readDefects(dir string) ([]defect, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.patch"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no defect in %s", dir)
	}
	var defects []defect
	for _, file := range paths {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		d, err := parseDefect(strings.TrimSuffix(filepath.Base(file), ".patch"), string(text))
		if err != nil {
			return nil, fmt.Errorf("defect %s: %w", file, err)
		}
		defects = append(defects, d)
	}
	return defects, nil
}

// parseDefect reads a defect: lines of comments, and a unified diff. A comment "Name:
// value" is a field, and the first lines, up to the first field, are the harm.
func parseDefect(name, text string) (defect, error) {
	d := defect{name: name, text: text}
	header, diff, found := strings.Cut(text, "--- a/")
	if !found {
		return d, errors.New("it has no diff: a line begins with '--- a/'")
	}
	for line := range strings.Lines(header) {
		comment, ok := strings.CutPrefix(line, "#")
		if !ok {
			return d, fmt.Errorf("the line %q before the diff does not begin with #", strings.TrimSpace(line))
		}
		if err := d.comment(strings.TrimSpace(comment)); err != nil {
			return d, err
		}
	}
	var err error
	if d.files, err = parsePatch("--- a/" + diff); err != nil {
		return d, err
	}
	return d, d.check()
}

func (d *defect) comment(line string) error {
	key, value, isField := strings.Cut(line, ": ")
	if !isField || strings.Contains(key, " ") {
		if d.group == "" {
			d.harm = strings.TrimSpace(d.harm + " " + line)
		} else if line != "" {
			return fmt.Errorf("the comment %q is no field", line)
		}
		return nil
	}
	var err error
	switch key {
	case "Group":
		d.group = value
	case "Layers":
		d.layers, err = parseLayers(value)
	case "Unit":
		d.packages = strings.Fields(value)
	case "Run":
		d.tests = value
	case "BATS":
		d.bats = value
	case "Unobservable":
		d.unobservable = value
	default:
		err = fmt.Errorf("unknown field %q", key)
	}
	return err
}

func (d *defect) check() error {
	switch {
	case d.harm == "":
		return errors.New("it does not say what a user would suffer")
	case d.group == "":
		return errors.New("it has no field Group")
	case len(d.layers) == 0:
		return errors.New("it has no field Layers")
	case slices.Contains(d.layers, unit) != (len(d.packages) > 0):
		return errors.New("the field Unit names packages if the layer unit is asked, and only then")
	case slices.Contains(d.layers, bats) != (d.bats != ""):
		return errors.New("the field BATS names a file if the layer bats is asked, and only then")
	case slices.Contains(layerNames(), d.group) && !slices.Contains(d.layers, layer(d.group)):
		return fmt.Errorf("it is one of the layer %s, which is not asked", d.group)
	}
	return nil
}

// touched returns the directories of the changed files, from the root of the tree.
func (d *defect) touched() []string {
	var dirs []string
	for _, f := range d.files {
		dirs = append(dirs, path.Dir(f.path))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
