package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/property"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/terminal"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// helpIndent precedes the lines of a description.
const helpIndent = "      "

// printProperties lists the properties that can be set, each with its description
// below. It uses the schema of the running daemon, else the one in this program.
func printProperties(out io.Writer, name string) error {
	crd := installedDefinition(name)
	if crd == nil {
		var err error
		if crd, err = property.EmbeddedCRD(); err != nil {
			return err
		}
	}
	all, err := property.FromCRD(crd, appv1.GroupVersion.Version)
	if err != nil {
		return err
	}
	columns, _, isTerminal := terminal.Size(out)
	if !isTerminal {
		columns = terminal.Columns
	}
	return writeProperties(out, all.Settable(), columns)
}

// writeProperties writes the properties in lines that are at most columns wide.
func writeProperties(out io.Writer, properties []property.Property, columns int) error {
	// The columns are aligned before the descriptions are inserted.
	var heads strings.Builder
	w := tabwriter.NewWriter(&heads, 0, 0, 2, ' ', 0)
	for _, p := range properties {
		kind := p.Type
		if len(p.Enum) > 0 {
			kind = strings.Join(p.Enum, "|")
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", p.Name, kind, "default "+cmp.Or(p.Default, `""`))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("align the properties: %w", err)
	}
	fmt.Fprintln(out, "\nProperties:")
	lines := strings.Split(heads.String(), "\n")
	for i, p := range properties {
		for _, line := range headLines(lines[i], columns) {
			fmt.Fprintln(out, line)
		}
		for _, line := range terminal.Wrap(strings.Join(strings.Fields(p.Description), " "), columns-len(helpIndent)) {
			fmt.Fprintln(out, helpIndent+line)
		}
	}
	return nil
}

// headLines returns the name, type and default of a property, in one line if that fits.
func headLines(head string, columns int) []string {
	if terminal.Width(head) <= columns {
		return []string{head}
	}
	return terminal.Wrap(head, columns)
}

// installedDefinition returns the App's definition in the daemon, or nil if no daemon answers.
func installedDefinition(name string) *apiextensionsv1.CustomResourceDefinition {
	inst, err := instance.New(name)
	if err != nil {
		return nil
	}
	c, err := (&session{instance: inst}).runningClient()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), queryTimeout)
	defer cancel()
	crd, err := c.AppDefinition(ctx)
	if err != nil {
		return nil
	}
	return crd
}
