package main

// tolerance is how much higher the mean of the last quarter may be than that of the second
// one, as a factor. The first quarter is the warm-up.
const tolerance = 1.05

// measure is what is measured of a daemon.
type measure struct {
	// column is its name in the file of samples.
	column string
	title  string
	unit   string
	// scale converts a sample into the unit.
	scale float64
	// floor is how much the mean may rise, in the unit, however small it is.
	floor float64
	// rate is set when the growth during a quarter is compared, and not the value: a log
	// grows until it is rotated.
	rate bool
}

const (
	megabyte = 1.0 / (1 << 20)
	kilobyte = 1.0 / (1 << 10)
)

// measures returns all measures, in the order of the columns.
func measures() []measure {
	return []measure{
		{column: "rss_anon", title: "private memory (RssAnon)", unit: "MB", scale: megabyte, floor: 4},
		{column: "private_used", title: "private memory without what Go keeps free", unit: "MB", scale: megabyte, floor: 4},
		{column: "heap", title: "heap in use", unit: "MB", scale: megabyte, floor: 3},
		{column: "goroutines", title: "goroutines", scale: 1, floor: 10},
		{column: "descriptors", title: "open descriptors", scale: 1, floor: 5},
		{column: "threads", title: "threads", scale: 1, floor: 3},
		{column: "database", title: "database and its log", unit: "MB", scale: megabyte, floor: 2},
		{column: "files", title: "files of the instance", scale: 1, floor: 3},
		{column: "log", title: "logs", unit: "kB", scale: kilobyte, floor: 64, rate: true},
		// Not judged: it shows how high the load is.
		{column: "cpu", title: "CPU time", unit: "s", scale: 1, rate: true},
	}
}

// name returns the title with the unit.
func (m measure) name() string {
	name := m.title
	if m.rate {
		name += ", growth"
	}
	if m.unit != "" {
		name += ", " + m.unit
	}
	return name
}

// judged reports whether a measure has a limit.
func (m measure) judged() bool { return m.floor > 0 }

// limit returns the highest mean of the last quarter for one of the second quarter.
func (m measure) limit(second float64) float64 { return max(second*tolerance, second+m.floor) }
