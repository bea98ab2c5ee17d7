package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

const head = `rdd contains the Go modules below, as source code that was compiled without changes.
Their licences and notices follow; each text applies to the modules above it.
'go mod download MODULE@VERSION' gets the source code of a module.
`

// write prints each text once, below the modules that have it, in an order that depends
// on nothing but the modules.
func (l licences) write(out io.Writer) error {
	if _, err := io.WriteString(out, head); err != nil {
		return err
	}
	sections := make([]string, 0, len(l))
	for text, files := range l {
		var section strings.Builder
		for _, module := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(&section, "%s (%s)\n", module, files[module])
		}
		sections = append(sections, section.String()+"\n"+text+"\n")
	}
	slices.Sort(sections)
	for _, section := range sections {
		if _, err := fmt.Fprintf(out, "\n%s\n%s", strings.Repeat("=", 78), section); err != nil {
			return err
		}
	}
	return nil
}
