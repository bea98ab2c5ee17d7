package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// layer is a layer of tests.
type layer string

const (
	unit       layer = "unit"
	simulation layer = "simulation"
	chaos      layer = "chaos"
	bats       layer = "bats"
)

// allLayers returns the layers in the order in which they are asked: the fastest first.
func allLayers() []layer { return []layer{unit, simulation, chaos, bats} }

func layerNames() (names []string) {
	for _, l := range allLayers() {
		names = append(names, string(l))
	}
	return names
}

func parseLayers(text string) ([]layer, error) {
	var layers []layer
	for _, l := range allLayers() {
		if slices.Contains(strings.FieldsFunc(text, isSeparator), string(l)) {
			layers = append(layers, l)
		}
	}
	if len(layers) != len(strings.FieldsFunc(text, isSeparator)) {
		return nil, fmt.Errorf("layers %q: the layers are %s", text, strings.Join(layerNames(), ", "))
	}
	return layers, nil
}

func isSeparator(r rune) bool { return r == ',' || r == ' ' }

// killAfter ends a command that hangs, which a defect can cause. The simulation has more
// time on a busy machine.
const killAfter = 30 * time.Minute

// command is what asks a layer. It fails if the layer finds a defect.
type command struct {
	env  []string
	args []string
}

// executor runs a command in a directory, and returns its output and whether it failed.
type executor func(ctx context.Context, dir string, c command) (output string, failed bool, err error)

// execute is the executor of real commands.
func execute(ctx context.Context, dir string, c command) (string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, killAfter)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...) //nolint:gosec // the commands below
	cmd.Dir, cmd.Env = dir, append(os.Environ(), c.env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) || ctx.Err() != nil {
		return output.String(), true, nil
	}
	return output.String(), false, err
}

// asking returns the commands that ask a layer: those before the last one build. Overlay
// is empty for the tree without a defect, and dir is a directory for programs.
func (c *campaign) asking(l layer, d *defect, overlay, dir string) []command {
	build := []string{"go", "build", "-overlay=" + overlay}
	test := []string{"go", "test", "-overlay=" + overlay, "-vet=off"}
	if overlay == "" {
		build, test = []string{"go", "build"}, []string{"go", "test", "-vet=off"}
	}
	switch l {
	case unit:
		args := append(test, "-timeout=20m", "-failfast", "-skip=^TestSimulation")
		if d.tests != "" {
			args = append(args, "-run="+d.tests)
		}
		return []command{{args: append(args, d.packages...)}}
	case simulation:
		return []command{{args: append(test, "-count=1", "-timeout=25m", "-run=^TestSimulation$", "./supervisor", fmt.Sprintf("-seeds=%d", c.seeds), "-failures=1")}}
	case chaos:
		program := filepath.Join(dir, "rdd")
		return []command{
			{args: append(build, "-o", program, "./cmd/rdd")},
			{
				env:  []string{"ENGINE=" + c.engine},
				args: []string{"bats/chaos/run.sh", "-rdd", program, "-out", filepath.Join(dir, "chaos"), "-rounds", fmt.Sprint(c.rounds)},
			},
		}
	default: // bats
		return []command{
			{args: append(build, "-o", dir+string(filepath.Separator), "./cmd/...")},
			{
				env:  []string{"RDD_TEST_BIN=" + dir, "RDD_TEST_SUPPORT=" + filepath.Join(dir, "support")},
				args: []string{"bats/scripts/run.sh", c.engine, d.bats},
			},
		}
	}
}

// notBuilt reports whether the output is that of a package that does not compile.
func notBuilt(output string) bool {
	return strings.Contains(output, "[build failed]") || strings.Contains(output, "[setup failed]")
}

// findings returns what has found a defect: names of tests, laws or promises.
func findings(l layer, output string) []string {
	patterns := map[layer]string{
		unit:       `(?m)^\s*--- FAIL: (\S+)`,
		simulation: `broke a law:\s+(.*)`,
		chaos:      `(?m)^VIOLATION in .*\n\s+(.*)$`,
		bats:       `(?m)^not ok \d+ (.*?)(?: in \d+ms)?$`,
	}
	const most = 3
	var found []string
	for _, match := range regexp.MustCompile(patterns[l]).FindAllStringSubmatch(output, -1) {
		name := strings.TrimSpace(strings.Join(match[1:], ""))
		if name == "" || slices.Contains(found, name) {
			continue
		}
		if found = append(found, name); len(found) == most {
			break
		}
	}
	if len(found) == 0 && strings.Contains(output, "panic: ") {
		_, reason, _ := strings.Cut(output, "panic: ")
		reason, _, _ = strings.Cut(reason, "\n")
		found = []string{"panic: " + reason}
	}
	return found
}
