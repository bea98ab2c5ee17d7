package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

func main() {
	corpus := flag.String("corpus", ".cache/fuzz/corpus", "directory of the inputs, with a directory for each package and target")
	most := flag.Int("most", 50, "inputs that a target keeps of them")
	largest := flag.Int("largest", 4096, "bytes that an input may have")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, options{*corpus, *most, *largest, os.Stdout}, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "fuzzcorpus:", err)
		os.Exit(1)
	}
}

type options struct {
	corpus        string
	most, largest int
	out           io.Writer
}

// run selects the inputs of the targets whose PACKAGE/NAME matches a pattern.
func run(ctx context.Context, o options, pattern string) error {
	match, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("the pattern of the targets: %w", err)
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	packages, err := findTargets(root)
	if err != nil {
		return fmt.Errorf("find the targets: %w", err)
	}
	for pkg, targets := range packages {
		var found []string
		for _, target := range targets {
			dir := filepath.Join(o.corpus, strings.ReplaceAll(pkg, "/", "-"), target)
			if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 && match.MatchString(pkg+"/"+target) {
				found = append(found, target)
			}
		}
		if len(found) == 0 {
			continue
		}
		if err := selectOf(ctx, root, pkg, found, o); err != nil {
			return err
		}
	}
	return nil
}

// findTargets returns the targets by the paths of their packages.
func findTargets(root string) (map[string][]string, error) {
	declaration := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(`)
	packages := map[string][]string{}
	files := os.DirFS(root)
	err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		for _, found := range declaration.FindAllSubmatch(text, -1) {
			packages[filepath.Dir(path)] = append(packages[filepath.Dir(path)], string(found[1]))
		}
		return nil
	})
	return packages, err
}

// selectOf adds the selected inputs of the targets of a package to its testdata.
func selectOf(ctx context.Context, root, pkg string, targets []string, o options) error {
	temp, err := os.MkdirTemp("", "fuzzcorpus")
	if err != nil {
		return err
	}
	defer func() { _ = filetree.Remove(temp) }()
	s, err := build(ctx, root, pkg, temp)
	if err != nil {
		return err
	}
	for _, target := range targets {
		kept := filepath.Join(root, pkg, "testdata", "fuzz", target)
		found := filepath.Join(o.corpus, strings.ReplaceAll(pkg, "/", "-"), target)
		candidates, base, err := s.measure(ctx, target, kept, found, o.largest)
		if err != nil {
			return err
		}
		names := choose(candidates, base, o.most)
		for _, name := range names {
			if err := copyFile(filepath.Join(found, name), filepath.Join(kept, name)); err != nil {
				return fmt.Errorf("keep an input: %w", err)
			}
		}
		fmt.Fprintf(o.out, "%s/%s: %d of %d inputs added\n", pkg, target, len(names), len(candidates))
	}
	return nil
}

// measure returns what each found input covers, and what the seeds and the kept inputs
// cover together. An input that fails, or is too large, is no candidate.
func (s subject) measure(ctx context.Context, target, kept, found string, largest int) (candidates []candidate, base blocks, err error) {
	work := filepath.Join(s.dir, "testdata", "fuzz", target)
	for _, dir := range []string{found, kept} {
		entries, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			return nil, nil, err
		}
		if err := filetree.Remove(work); err != nil {
			return nil, nil, err
		}
		for _, entry := range entries {
			if err := copyFile(filepath.Join(dir, entry.Name()), filepath.Join(work, entry.Name())); err != nil {
				return nil, nil, err
			}
		}
		if dir == kept {
			base, err = s.cover(ctx, target, ".")
			return candidates, base, err
		}
		for _, entry := range entries {
			info, err := entry.Info()
			if err != nil || info.Size() > int64(largest) {
				continue
			}
			covered, err := s.coverInput(ctx, target, entry.Name())
			if err != nil {
				fmt.Fprintln(os.Stderr, "fuzzcorpus: left out:", err)
				continue
			}
			candidates = append(candidates, candidate{name: entry.Name(), size: int(info.Size()), covered: covered})
		}
	}
	return candidates, base, nil
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o750); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}
