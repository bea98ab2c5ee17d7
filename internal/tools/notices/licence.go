package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// licences has the modules and files of each text: text, module, path of the file.
type licences map[string]map[string]string

// licenceFile matches the name of a file with a licence or a notice.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]es?|copying|copyright|notices?|patents|unlicense)([-_.].*)?$`)

// add adds the files of a package: those in its directory, and in all directories up to
// the root of its module.
func (l licences) add(p linked) error {
	if p.root == "" {
		return fmt.Errorf("the source of %s is missing: run 'go mod download'", p.module)
	}
	found := false
	for dir := p.dir; ; dir = filepath.Dir(dir) {
		here, err := l.addDir(p, dir)
		if err != nil {
			return err
		}
		found = found || here
		if dir == p.root {
			break
		}
		if !strings.HasPrefix(dir, p.root+string(filepath.Separator)) {
			return fmt.Errorf("package %s is not below its module %s", p.dir, p.root)
		}
	}
	if !found {
		return fmt.Errorf("%s has no licence file in %s and above: it cannot be distributed until its licence is known", p.module, p.dir)
	}
	return nil
}

// addDir reports whether the directory has a file with a licence.
func (l licences) addDir(p linked, dir string) (bool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, fmt.Errorf("find the licence of %s: %w", p.module, err)
	}
	found := false
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !isLicence(entry.Name()) {
			continue
		}
		found = true
		path := filepath.Join(dir, entry.Name())
		data, err := os.ReadFile(path)
		if err != nil {
			return false, fmt.Errorf("read the licence of %s: %w", p.module, err)
		}
		name, err := filepath.Rel(p.root, path)
		if err != nil {
			return false, err
		}
		text := normal(string(data))
		if l[text] == nil {
			l[text] = make(map[string]string)
		}
		l[text][p.module] = filepath.ToSlash(name)
	}
	return found, nil
}

// isLicence reports whether a file has a licence by its name. Go files such as
// license.go have none.
func isLicence(name string) bool {
	return licenceFile.MatchString(name) && filepath.Ext(name) != ".go"
}

// normal returns a text without invisible differences: kinds of line ends, spaces before
// them, and empty lines around the text.
func normal(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimRight(line, " \t\r\n"))
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
