package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// overlay writes copies of the changed files into dir, and returns the file for Go's
// -overlay.
func (d *defect) overlay(root, dir string) (string, error) {
	replace := map[string]string{}
	for i, f := range d.files {
		original := filepath.Join(root, f.path)
		text, err := os.ReadFile(original)
		if err != nil {
			return "", d.outdated(err)
		}
		changed, err := f.apply(string(text))
		if err != nil {
			return "", d.outdated(err)
		}
		replacement := filepath.Join(dir, fmt.Sprintf("%d-%s", i, filepath.Base(f.path)))
		if err := os.WriteFile(replacement, []byte(changed), 0o600); err != nil {
			return "", err
		}
		replace[original] = replacement
	}
	content, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, content, 0o600)
}

// outdated returns the error of a defect that does not apply.
func (d *defect) outdated(err error) error {
	return &invalidError{fmt.Sprintf("defect %s does not apply: %v", d.name, err)}
}
