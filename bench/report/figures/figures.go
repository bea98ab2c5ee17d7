// Package figures has the results of a benchmark run: raw values with their units and
// goals, in a file. One program writes it and others read it, so that measuring and
// presenting can change separately.
package figures

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Units of values. A value in MB is a multiple of 2^20 bytes, and one in KB of 2^10.
const (
	Seconds            = "s"
	Milliseconds       = "ms"
	Megabytes          = "MB"
	Kilobytes          = "KB"
	MegabytesPerSecond = "MB/s"
	Percent            = "%"
	Times              = "times"
	Writes             = "writes"
	PerEvent           = "writes/event"
	PerSecond          = "/s"
)

// Groups of figures, which a page can show separately.
const (
	Start    = "start"
	Sync     = "sync"
	Events   = "event"
	Requests = "request"
	Streams  = "stream"
	Memory   = "memory"
	Idle     = "idle"
	Scale    = "scale"
	Clients  = "clients"
	Browser  = "browser"
)

// Names of curves.
const (
	CurveSync   = "full sync by number of images"
	CurveMemory = "private memory by number of mirrors"
)

// Subjects of curves.
const (
	SubjectRdd      = "rdd"
	SubjectBaseline = "baseline"
	SubjectGoal     = "goal"
)

// Run has the results of one run.
type Run struct {
	Date    time.Time `json:"date"`
	Commit  string    `json:"commit"`
	Machine Machine   `json:"machine"`
	Engine  Engine    `json:"engine"`
	Figures []*Figure `json:"figures"`
	Curves  []*Curve  `json:"curves"`
}

// Machine is the machine of a run.
type Machine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	// Memory in bytes.
	Memory int64  `json:"memory"`
	OS     string `json:"os"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
	// Load is the load average of the last minute before the run.
	Load float64 `json:"load"`
}

// Engine is the engine of a run.
type Engine struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	API     string `json:"api"`
	Storage string `json:"storage"`
}

// Figure is one measure, of rdd and perhaps of the baseline.
type Figure struct {
	// Group is the part of the page.
	Group string `json:"group"`
	Name  string `json:"name"`
	Unit  string `json:"unit"`
	// Rows are the statistics to show.
	Rows []Row `json:"rows"`
	// Values are in the order of measurement.
	Values   []float64 `json:"values"`
	Baseline []float64 `json:"baseline,omitempty"`
}

// Row is one statistic of a figure.
type Row struct {
	// Percentile in 0 to 100; 50 is the median.
	Percentile float64 `json:"percentile"`
	// Goal is the highest acceptable value; nil for none.
	Goal *float64 `json:"goal,omitempty"`
}

// Curve is a cost that depends on the number of objects.
type Curve struct {
	Name string `json:"name"`
	// Subject is the program that was measured, or the goal.
	Subject string  `json:"subject"`
	Unit    string  `json:"unit"`
	Points  []Point `json:"points"`
}

// Point is the cost at one size.
type Point struct {
	N     int     `json:"n"`
	Value float64 `json:"value"`
}

// Figure returns the figure of a name, and adds it when it is new.
func (r *Run) Figure(group, name, unit string, rows ...Row) *Figure {
	for _, f := range r.Figures {
		if f.Group == group && f.Name == name {
			return f
		}
	}
	if len(rows) == 0 {
		rows = []Row{{Percentile: 50}}
	}
	f := &Figure{Group: group, Name: name, Unit: unit, Rows: rows}
	r.Figures = append(r.Figures, f)
	return f
}

// Point adds a point to a curve, and adds the curve when it is new.
func (r *Run) Point(name, subject, unit string, n int, value float64) {
	for _, c := range r.Curves {
		if c.Name == name && c.Subject == subject {
			c.Points = append(c.Points, Point{N: n, Value: value})
			return
		}
	}
	r.Curves = append(r.Curves, &Curve{Name: name, Subject: subject, Unit: unit, Points: []Point{{N: n, Value: value}}})
}

// Goal returns a row for the median with a goal.
func Goal(goal float64) Row { return Row{Percentile: 50, Goal: &goal} }

// GoalAt returns a row for a percentile with a goal.
func GoalAt(percentile, goal float64) Row { return Row{Percentile: percentile, Goal: &goal} }

// Write writes the run into a file.
func (r *Run) Write(file string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("encode the figures: %w", err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}

// Read reads what Write wrote.
func Read(file string) (*Run, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the figures ('make bench' measures them): %w", err)
	}
	r := &Run{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("read the figures in %s: %w", file, err)
	}
	return r, nil
}
