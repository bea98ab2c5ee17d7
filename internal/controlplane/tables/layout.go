package tables

const (
	// terminalWidth is the width of a row without the wide columns, in characters.
	terminalWidth = 80
	// gap is the number of spaces that kubectl prints between two columns.
	gap = 3
)

// step narrows a column to a width, or less if that is enough.
type step struct{ column, width int }

// fit cuts cells so that the rows are not wider than a terminal. Each step narrows its
// column only as far as it is still necessary. Rows that are too wide after all steps stay
// so: then a column that cannot be cut has a long text.
func fit(columns []column, rows [][]string, steps []step) {
	widths := make([]int, len(columns))
	for i := range columns {
		widths[i] = widthOf(columns, rows, i)
	}
	for _, s := range steps {
		over := total(columns, widths) - terminalWidth
		if over <= 0 {
			return
		}
		width := max(s.width, widths[s.column]-over, len(columns[s.column].name))
		if width >= widths[s.column] {
			continue
		}
		for _, row := range rows {
			row[s.column] = columns[s.column].cut(row[s.column], width)
		}
		widths[s.column] = widthOf(columns, rows, s.column)
	}
}

// widthOf returns the width of a column. kubectl counts bytes, not characters.
func widthOf(columns []column, rows [][]string, i int) int {
	width := len(columns[i].name)
	for _, row := range rows {
		width = max(width, len(row[i]))
	}
	return width
}

// total returns the width of a row without the wide columns.
func total(columns []column, widths []int) int {
	sum := -gap
	for i, c := range columns {
		if !c.wide {
			sum += gap + widths[i]
		}
	}
	return sum
}
