package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// subject is the tests of a package, built with coverage.
type subject struct {
	// dir is a copy of the package's directory, whose inputs can be changed. It and the
	// directories above it link to everything else, so that relative paths work.
	dir     string
	program string
}

// build builds the tests of a package. They count the coverage of the packages of this
// module that it uses.
func build(ctx context.Context, root, pkg, temp string) (subject, error) {
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.ImportPath}}{{end}}{{end}}", "./"+pkg)
	list.Dir, list.Stderr = root, os.Stderr
	out, err := list.Output()
	if err != nil {
		return subject{}, fmt.Errorf("list what %s imports: %w", pkg, err)
	}
	s := subject{program: filepath.Join(temp, "covered.test")}
	compile := exec.CommandContext(ctx, "go", "test", "-c", "-cover", "-coverpkg="+strings.Join(strings.Fields(string(out)), ","), "-o", s.program, "./"+pkg)
	compile.Dir, compile.Stderr = root, os.Stderr
	if err := compile.Run(); err != nil {
		return subject{}, fmt.Errorf("build the tests of %s: %w", pkg, err)
	}
	s.dir, err = mirror(root, filepath.Join(pkg, "testdata", "fuzz"), filepath.Join(temp, "tree"))
	return s, err
}

// mirror makes a tree of links to root in to, in which path is an empty directory. It
// returns the directory of the package.
func mirror(root, path, to string) (string, error) {
	from := root
	for part := range strings.SplitSeq(path, string(filepath.Separator)) {
		if err := os.MkdirAll(to, 0o700); err != nil {
			return "", err
		}
		entries, err := os.ReadDir(from)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		for _, entry := range entries {
			if entry.Name() == part {
				continue
			}
			if err := os.Symlink(filepath.Join(from, entry.Name()), filepath.Join(to, entry.Name())); err != nil {
				return "", err
			}
		}
		from, to = filepath.Join(from, part), filepath.Join(to, part)
	}
	return filepath.Dir(filepath.Dir(to)), os.MkdirAll(to, 0o700)
}

// cover runs the inputs of a target whose names match, and returns what they cover.
func (s subject) cover(ctx context.Context, target, names string) (blocks, error) {
	profile := filepath.Join(s.dir, "..", "profile")
	test := exec.CommandContext(ctx, s.program, "-test.run=^"+target+"$/"+names, "-test.coverprofile="+profile)
	test.Dir = s.dir
	if out, err := test.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s/%s: %w:\n%s", target, names, err, out)
	}
	return readProfile(profile)
}

// coverInput is cover for one input.
func (s subject) coverInput(ctx context.Context, target, name string) (blocks, error) {
	return s.cover(ctx, target, "^"+regexp.QuoteMeta(name)+"$")
}

// readProfile returns the blocks of a coverage profile that were run.
func readProfile(path string) (blocks, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	covered := blocks{}
	lines := bufio.NewScanner(file)
	for lines.Scan() { // FILE:FROM,TO STATEMENTS COUNT
		fields := strings.Fields(lines.Text())
		if len(fields) == 3 && fields[2] != "0" {
			covered[fields[0]] = struct{}{}
		}
	}
	return covered, lines.Err()
}
