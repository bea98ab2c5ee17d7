package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// score counts the defects of a layer.
type score struct {
	Asked int `json:"asked"`
	Found int `json:"found"`
	// Own and OwnFound count those that this layer is to find.
	Own      int `json:"own,omitempty"`
	OwnFound int `json:"ownFound,omitempty"`
}

// table has all that is known.
type table struct {
	Defects int             `json:"defects"`
	Scores  map[layer]score `json:"scores"`
	Rows    []asked         `json:"rows"`
}

func (c *campaign) table(defects []defect) (table, error) {
	t := table{Defects: len(defects), Scores: map[layer]score{}}
	for i := range defects {
		a, err := c.recall(&defects[i])
		if err != nil {
			return t, err
		}
		t.Rows = append(t.Rows, a)
		for _, l := range allLayers() {
			s, o := t.Scores[l], a.Outcomes[l]
			_, isAsked := a.Outcomes[l]
			s.Asked += count(isAsked)
			s.Found += count(o.Found)
			if isOwn := a.Group == string(l); isOwn {
				s.Own++
				s.OwnFound += count(o.Found)
			}
			t.Scores[l] = s
		}
	}
	return t, nil
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// writeTable writes table.md and table.json.
func (c *campaign) writeTable(defects []defect) error {
	t, err := c.table(defects)
	if err != nil {
		return err
	}
	content, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.out, 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.out, "table.json"), append(content, '\n'), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.out, "table.md"), []byte(t.markdown()), 0o600)
}

func (t table) markdown() string {
	var b strings.Builder
	b.WriteString("| layer | asked | found | its own | found of these |\n| --- | --- | --- | --- | --- |\n")
	for _, l := range allLayers() {
		s := t.Scores[l]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d |\n", l, s.Asked, s.Found, s.Own, s.OwnFound)
	}
	b.WriteString("\n| defect | group | " + strings.Join(layerNames(), " | ") + " | what a user would suffer |\n")
	b.WriteString(strings.Repeat("| --- ", len(allLayers())+3) + "|\n")
	for _, row := range t.Rows {
		fmt.Fprintf(&b, "| %s | %s |", row.Name, row.Group)
		for _, l := range allLayers() {
			fmt.Fprintf(&b, " %s |", row.cell(l))
		}
		fmt.Fprintf(&b, " %s |\n", row.Harm)
	}
	return b.String()
}

// cell returns what has found the defect in a layer.
func (a asked) cell(l layer) string {
	o, isAsked := a.Outcomes[l]
	switch {
	case !isAsked:
		return ""
	case !o.Found:
		return "not found"
	case len(o.By) == 0:
		return "found"
	}
	const most = 80
	text := strings.ReplaceAll(o.By[0], "|", "/")
	return text[:min(len(text), most)]
}

// summary prints the score, and fails if all layers of a defect were asked and none has
// found it.
func (c *campaign) summary(defects []defect) error {
	t, err := c.table(defects)
	if err != nil {
		return err
	}
	for _, l := range allLayers() {
		if s := t.Scores[l]; s.Asked > 0 {
			fmt.Fprintf(c.printed, "%s found %d of the %d defects that it was asked about", l, s.Found, s.Asked)
			if s.Own > 0 {
				fmt.Fprintf(c.printed, ", and %d of its own %d", s.OwnFound, s.Own)
			}
			fmt.Fprintln(c.printed)
		}
	}
	var survived []string
	for i := range defects {
		if d := &defects[i]; d.hasSurvived(t.Rows[i]) {
			survived = append(survived, d.name)
		}
	}
	if len(survived) > 0 {
		return fmt.Errorf("no layer has found %s: see %s", strings.Join(survived, ", "), filepath.Join(c.out, "table.md"))
	}
	return nil
}

// hasSurvived reports whether all layers of a defect were asked and none has found it.
func (d *defect) hasSurvived(a asked) bool {
	isUnasked := func(l layer) bool {
		_, isAsked := a.Outcomes[l]
		return !isAsked
	}
	return d.unobservable == "" && !a.isFound() && !slices.ContainsFunc(d.layers, isUnasked)
}
