package main

import (
	"bytes"
	"cmp"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
)

// linked is a package of a program.
type linked struct {
	// module is "PATH VERSION", or "Go VERSION" of the standard library.
	module string
	// root is the directory of the module, and dir the one of the package below it.
	root, dir string
}

// listed is what 'go list -json' prints of a package.
type listed struct {
	Dir      string
	Standard bool
	Module   *module
}

type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module
}

// linkedPackages returns the packages of a program, except for those of the module in
// the current directory.
func linkedPackages(ctx context.Context, program string) ([]linked, error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("read the modules of %s: %w", program, err)
	}
	out, err := goList(ctx, info)
	if err != nil {
		return nil, fmt.Errorf("list the packages of %s: %w", program, err)
	}
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("find the standard library: %w", err)
	}
	packages, err := parseList(bytes.NewReader(out), info.GoVersion, strings.TrimSpace(string(root)))
	if err != nil {
		return nil, fmt.Errorf("read the list of packages of %s: %w", program, err)
	}
	if missing := notListed(info, packages); len(missing) > 0 {
		return nil, fmt.Errorf("%s has modules that this source has not: %s: build the program from this source", program, strings.Join(missing, ", "))
	}
	return packages, nil
}

// goList lists the packages for the system and with the tags of a build.
func goList(ctx context.Context, info *debug.BuildInfo) ([]byte, error) {
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	//nolint:gosec // The arguments are from a program that was just compiled, and no shell reads them.
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Dir,Standard,Module", "-tags="+settings["-tags"], "--", info.Path)
	list.Env = os.Environ()
	for _, key := range []string{"GOOS", "GOARCH", "CGO_ENABLED"} {
		list.Env = append(list.Env, key+"="+settings[key])
	}
	list.Stderr = os.Stderr
	return list.Output()
}

// parseList reads the output of 'go list -json'.
func parseList(list io.Reader, goVersion, goRoot string) ([]linked, error) {
	var packages []linked
	for decoder := json.NewDecoder(list); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, err
		}
		switch {
		case p.Standard:
			packages = append(packages, linked{"Go " + goVersion, goRoot, p.Dir})
		case p.Module != nil && !p.Module.Main:
			m := cmp.Or(p.Module.Replace, p.Module)
			packages = append(packages, linked{m.Path + " " + m.Version, m.Dir, p.Dir})
		}
	}
}

// notListed returns the modules of a build that have no listed package.
func notListed(info *debug.BuildInfo, packages []linked) []string {
	known := make(map[string]bool)
	for _, p := range packages {
		known[p.module] = true
	}
	var missing []string
	for _, dep := range info.Deps {
		m := cmp.Or(dep.Replace, dep)
		if name := m.Path + " " + m.Version; !known[name] {
			missing = append(missing, name)
		}
	}
	return missing
}
