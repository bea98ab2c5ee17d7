package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// outcome is the answer of a layer.
type outcome struct {
	// Found is whether the layer has found the defect, and By what did.
	Found bool     `json:"found"`
	By    []string `json:"by,omitempty"`
	// Seconds that it took.
	Seconds float64 `json:"seconds"`
	// Code is the hash of the defect and of the packages that it changes, and Tests the
	// hash of the tests of the layer.
	Code  string `json:"code"`
	Tests string `json:"tests"`
}

// isValid reports whether an outcome is still valid. What has found a defect finds it
// again. What has not found one may do so when its tests have changed.
func (o outcome) isValid(code, tests string) bool {
	return o.Code == code && (o.Found || o.Tests == tests)
}

// asked has the outcomes of a defect.
type asked struct {
	Name     string            `json:"name"`
	Group    string            `json:"group"`
	Harm     string            `json:"harm"`
	Outcomes map[layer]outcome `json:"outcomes"`
}

// isFound reports whether one of the layers has found the defect.
func (a asked) isFound() bool {
	for _, o := range a.Outcomes {
		if o.Found {
			return true
		}
	}
	return false
}

func (c *campaign) fileOf(d *defect) string {
	return filepath.Join(c.out, "results", d.name+".json")
}

// recall returns the kept outcomes of a defect that are still valid.
func (c *campaign) recall(d *defect) (asked, error) {
	kept := asked{}
	content, err := os.ReadFile(c.fileOf(d))
	if err == nil {
		err = json.Unmarshal(content, &kept)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return asked{}, fmt.Errorf("kept result %s: %w: remove the file", c.fileOf(d), err)
	}
	a := asked{Name: d.name, Group: d.group, Harm: d.harm, Outcomes: map[layer]outcome{}}
	for l, o := range kept.Outcomes {
		code, tests, err := c.hashes(l, d)
		if err != nil {
			return asked{}, err
		}
		if o.isValid(code, tests) {
			a.Outcomes[l] = o
		}
	}
	return a, nil
}

func (c *campaign) keep(d *defect, a asked) error {
	content, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.fileOf(d)), 0o750); err != nil {
		return err
	}
	return os.WriteFile(c.fileOf(d), append(content, '\n'), 0o600)
}

// hashes returns the hash of the changed packages, and that of the tests of a layer.
func (c *campaign) hashes(l layer, d *defect) (code, tests string, err error) {
	if code, err = hashOf(d.text, c.root, d.touched()); err != nil {
		return "", "", d.outdated(err)
	}
	switch l {
	case unit:
		tests, err = hashOf(d.tests, c.root, d.packages)
	case simulation:
		dirs, _ := filepath.Glob(filepath.Join(c.root, "internal/sim/*"))
		for i := range dirs {
			dirs[i] = strings.TrimPrefix(dirs[i], c.root)
		}
		tests, err = hashOf(fmt.Sprint(c.seeds), c.root, append(dirs, "supervisor"))
	case chaos:
		tests, err = hashOf(fmt.Sprint(c.rounds), c.root, []string{"bats/chaos"})
	case bats:
		tests, err = hashOf(d.bats, c.root, []string{filepath.Dir(d.bats)})
	}
	return code, tests, err
}

// hashOf returns the hash of a text and of the files in directories, without those below.
func hashOf(text, root string, dirs []string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, text)
	for _, dir := range dirs {
		entries, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil {
			return "", err
		}
		for _, e := range entries {
			if !e.Type().IsRegular() {
				continue
			}
			content, err := os.ReadFile(filepath.Join(root, dir, e.Name()))
			if err != nil {
				return "", err
			}
			fmt.Fprintf(h, "%s %d %s\n", e.Name(), len(content), content)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}
