package tables

import (
	"strings"
	"testing"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

func TestCutKeepsDistinctiveParts(t *testing.T) {
	const image = "registry.example.com:5000/team/project/server:2.10-alpine"
	digest := "nginx:1@sha256:" + strings.Repeat("0", 64)
	for _, test := range []struct {
		cut   func(string, int) string
		text  string
		width int
		want  string
	}{
		{cutMiddle, "abcdefghij", 10, "abcdefghij"},
		{cutMiddle, "abcdefghij", 9, "abcd..hij"},
		{cutMiddle, "abcdefghij", 2, "ab"},
		{cutMiddle, "äöüäöü", 9, "äö..ü"},
		{cutEnd, "some words here", 15, "some words here"},
		{cutEnd, "some words here", 13, "some words.."},
		{cutEnd, "some", 1, "s"},
		{cutEnd, "ä", 1, ""},
		{cutImage, image, 60, image},
		{cutImage, image, 40, "team/project/server:2.10-alpine"},
		{cutImage, image, 20, "server:2.10-alpine"},
		{cutImage, image, 12, "serve..lpine"},
		{cutImage, digest, 20, "nginx:1"},
		{cutImage, "localhost/app:1", 8, "app:1"},
		{cutImage, "team/application:1", 15, "application:1"},
		{cutPorts, "127.0.0.1:8443->443, 80->80", 20, "8443->443, 80->80"},
		{cutPorts, "8080->80, 8443->443, 53->53/udp", 12, "8080->80 +2"},
		{cutPorts, "[::1]:8080->80/udp", 15, "8080->80/udp"},
		{cutPorts, "58080->58080", 8, "580..080"},
		{cutNames, "cache, db, web", 14, "cache, db, web"},
		{cutNames, "cache, db, web", 13, "cache, db +1"},
		{cutNames, "cache, db, web", 8, "cache +2"},
		{cutNames, "a-long-name, db", 8, "a-..e +1"},
		{cutNames, "Deleting: image is used by db, web", 30, "Deleting: image is used by d.."},
		{cutStatus, "Exited (137) 45 minutes ago", 22, "Exited (137) 45m ago"},
		{cutStatus, "Up 2 hours (unhealthy)", 18, "Up 2h (unhealthy)"},
		{cutStatus, "Up 2 months (unhealthy)", 18, "Up 2mo (unhealthy)"},
		{cutStatus, "Up 1 second (healthy)", 14, "Up 1s (healt.."},
		{cutStatus, "Start refused: 2 hours are not enough", 20, "Start refused: 2 h.."},
	} {
		got := test.cut(test.text, test.width)
		if got != test.want || len(got) > test.width {
			t.Errorf("%q in %d: %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

// row returns a row with texts in the columns before the wide ones.
func row(columns []column, texts ...string) []string {
	cells := make([]string, len(columns))
	copy(cells, texts)
	return cells
}

// Rows of objects with the longest names fit, and short ones stay as they are.
func TestRowsFitTerminal(t *testing.T) {
	long := strings.Repeat("long-name-", 20)
	all := map[string]table{"requests": requestTable()}
	for _, of := range mirrorTables() {
		all[string(of.kind)] = of.table
	}
	for name, of := range all {
		cells := row(of.columns)
		for i, c := range of.columns {
			switch {
			case c.cut != nil && c.name == "Ports":
				cells[i] = "127.0.0.1:58080->58080/sctp, 127.0.0.1:58081->58081/sctp"
			case c.cut != nil || c.wide:
				cells[i] = long
			case c.name == "ID":
				cells[i] = "0123456789ab"
			case c.name == "Size":
				cells[i] = "1.98MB"
			default:
				cells[i] = "3y45d"
			}
		}
		fit(of.columns, [][]string{cells}, of.steps)
		widths := make([]int, len(of.columns))
		for i, c := range of.columns {
			widths[i] = max(len(c.name), len(cells[i]))
			if c.wide && cells[i] != long {
				t.Errorf("%s: the wide column %s is cut", name, c.name)
			}
		}
		if got := total(of.columns, widths); got > terminalWidth {
			t.Errorf("%s: the row has %d columns: %q", name, got, cells)
		}
	}
}

// A column is narrowed only as far as it is necessary.
func TestRowsUseTerminal(t *testing.T) {
	columns := containerTable().columns
	rows := [][]string{
		row(columns, "web", "0123456789ab", "nginx:1.27", "Up 3 minutes (healthy)", "8080->80", "3m"),
		row(columns, "database", "0123456789ab", "postgres:17", "Exited (3) 2 hours ago", "", "3m"),
	}
	fit(columns, rows, containerTable().steps)
	if rows[0][3] != "Up 3 minutes (healthy)" || rows[1][2] != "postgres:17" {
		t.Errorf("usual rows are cut: %q", rows)
	}
	rows = append(rows, row(columns, "app", "0123456789ab", "registry.example.com/team/app:1", "Created", "", "3m"))
	fit(columns, rows, containerTable().steps)
	if rows[0][0] != "web" || rows[0][3] != "Up 3 minutes (healthy)" || rows[2][2] != "team/app:1" {
		t.Errorf("only one image should be cut: %q", rows)
	}
}

// Every kind has one text for each column, and a name at the end.
func TestColumnsMatchCells(t *testing.T) {
	for _, of := range mirrorTables() {
		m := containersv1.NewMirror(of.kind)
		m.SetName("resource")
		cells := of.table.cells(m, facts{now: clock()})
		if len(cells) != len(of.table.columns) || cells[len(cells)-1] != "resource" {
			t.Errorf("%s has cells %q for columns %v", of.kind, cells, of.table.columns)
		}
		for _, s := range of.table.steps {
			if of.table.columns[s.column].cut == nil {
				t.Errorf("%s: a step narrows column %s, which cannot be cut", of.kind, of.table.columns[s.column].name)
			}
		}
	}
}
