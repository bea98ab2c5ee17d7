// Package treeview draws the supervision tree as text.
package treeview

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/rancher-sandbox/rancher-desktop-daemon/supervisor"
)

// Node is one actor as the daemon reports it.
type Node = supervisor.Node

// Draw draws the tree; ages are relative to now. Unless all is set, the actors of
// engine objects of one kind are drawn as one line with counts.
func Draw(out io.Writer, nodes []Node, now time.Time, all bool) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "ACTOR\tSTATE\tSINCE\tRESTARTS\tMAILBOX\tLAST FAILURE")
	for _, root := range grow(nodes, all) {
		row(table, "", "", root, now)
		branches(table, "", root.children, now)
	}
	return table.Flush()
}

// branch is an actor and the actors below it, drawn as one line.
type branch struct {
	Node
	label    string
	children []*branch
}

func branches(out io.Writer, indent string, children []*branch, now time.Time) {
	for i, child := range children {
		line, below := "├── ", "│   "
		if i == len(children)-1 {
			line, below = "└── ", "    "
		}
		row(out, indent, line, child, now)
		branches(out, indent+below, child.children, now)
	}
}

func row(out io.Writer, indent, line string, b *branch, now time.Time) {
	failure := ""
	if b.LastFailure != "" {
		failure = strings.Join(strings.Fields(b.LastFailure), " ")
		if !b.LastFailureAt.IsZero() {
			failure = duration.HumanDuration(now.Sub(b.LastFailureAt)) + " ago: " + failure
		}
	}
	since := ""
	if !b.Since.IsZero() {
		since = duration.HumanDuration(now.Sub(b.Since))
	}
	fmt.Fprintf(out, "%s%s%s\t%s\t%s\t%d\t%d\t%s\n", indent, line, b.label, b.State, since, b.Restarts, b.Mailbox, failure)
}

// grow builds the branches from the names of nodes. The parent of a name is the
// longest other name that is a path above it.
func grow(nodes []Node, all bool) []*branch {
	nodes = slices.Clone(nodes)
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(a.Name, b.Name) })
	byName := make(map[string]*branch, len(nodes))
	for _, node := range nodes {
		byName[node.Name] = &branch{Node: node}
	}
	var roots []*branch
	for _, node := range nodes {
		b := byName[node.Name]
		b.label = node.Name
		parent := node.Name
		for {
			cut := strings.LastIndexByte(parent, '/')
			if cut < 0 {
				roots = append(roots, b)
				break
			}
			parent = parent[:cut]
			if above, found := byName[parent]; found {
				b.label = node.Name[cut+1:]
				above.children = append(above.children, b)
				break
			}
		}
	}
	if !all {
		for _, b := range byName {
			b.children = summarise(b.children)
		}
	}
	return roots
}

// summarise replaces children called KIND/NAME that have no children by one branch
// for each kind.
func summarise(children []*branch) []*branch {
	groups := map[string][]*branch{}
	var out []*branch
	for _, child := range children {
		kind, _, grouped := strings.Cut(child.label, "/")
		if !grouped || len(child.children) > 0 {
			out = append(out, child)
			continue
		}
		groups[kind] = append(groups[kind], child)
	}
	for kind, members := range groups {
		out = append(out, group(kind, members))
	}
	slices.SortFunc(out, func(a, b *branch) int { return strings.Compare(a.label, b.label) })
	return out
}

// group returns one branch with the sums of its members. Its Since is the latest.
func group(kind string, members []*branch) *branch {
	sum := &branch{label: kind + " ×" + strconv.Itoa(len(members))}
	states := map[string]int{}
	for _, m := range members {
		states[m.State]++
		sum.Restarts += m.Restarts
		sum.Mailbox += m.Mailbox
		if m.Since.After(sum.Since) {
			sum.Since = m.Since
		}
		if m.LastFailure != "" && !m.LastFailureAt.Before(sum.LastFailureAt) {
			sum.LastFailure, sum.LastFailureAt = m.label+": "+m.LastFailure, m.LastFailureAt
		}
	}
	names := make([]string, 0, len(states))
	for state := range states {
		names = append(names, state)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(states[b]-states[a], strings.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", states[name], cmp.Or(name, "?"))
	}
	sum.State = strings.Join(names, ", ")
	return sum
}
