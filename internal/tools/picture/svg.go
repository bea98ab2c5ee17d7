package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/hinshun/vt10x"
)

// Sizes in pixels.
const (
	fontSize   = 14
	cellWidth  = 8.4
	cellHeight = 18
	border     = 14
)

// Modes of a glyph, which vt10x does not export.
const (
	modeUnderline = 1 << 1
	modeBold      = 1 << 2
)

// palette returns the 16 colors of ANSI.
func palette() []string {
	return []string{
		"#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4",
		"#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff",
	}
}

// render returns a film as an SVG. All frames stand below each other, and an animation
// shifts them, so that one at a time is visible. A viewer without animations, or whose
// user prefers no motion, shows the last frame.
func render(f film, title string) []byte {
	width := float64(f.columns)*cellWidth + 2*border
	height := f.rows*cellHeight + 2*border
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" viewBox="0 0 %.0f %d" role="img" xml:space="preserve">`+"\n", width, height, width, height)
	fmt.Fprintf(&out, "<title>%s</title>\n", escape(title))
	style(&out, f)
	rows, uses := lines(f)
	fmt.Fprintf(&out, "<defs>\n%s</defs>\n", rows)
	fmt.Fprint(&out, `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`+"\n")
	fmt.Fprintf(&out, `<svg x="%d" y="%d" width="%.0f" height="%d"><g id="film">`+"\n", border, border, width-2*border, f.rows*cellHeight)
	out.WriteString(uses)
	out.WriteString("</g></svg>\n</svg>\n")
	return out.Bytes()
}

// style writes the style sheet with the animation.
func style(out *bytes.Buffer, f film) {
	fmt.Fprintf(out, "<style>\ntext{font:%dpx ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;fill:#e6edf3}\n", fontSize)
	out.WriteString(".b{font-weight:bold}.u{text-decoration:underline}\n")
	for i, color := range palette() {
		fmt.Fprintf(out, ".c%d{fill:%s}", i, color)
	}
	shift := f.rows * cellHeight
	fmt.Fprintf(out, "\n#film{transform:translateY(-%dpx);animation:film %.2fs steps(1,end) infinite}\n@keyframes film{", (len(f.frames)-1)*shift, f.length.Seconds())
	for i, frame := range f.frames {
		fmt.Fprintf(out, "%.3f%%{transform:translateY(-%dpx)}", 100*frame.at.Seconds()/f.length.Seconds(), i*shift)
	}
	out.WriteString("}\n@media (prefers-reduced-motion:reduce){#film{animation:none}}\n</style>\n")
}

// lines returns the definitions of all different lines, and the frames that use them.
func lines(f film) (definitions, frames string) {
	var rows, uses strings.Builder
	names := map[string]string{}
	for i, frame := range f.frames {
		for y, cells := range frame.screen {
			text := line(cells)
			if text == "" {
				continue
			}
			name, ok := names[text]
			if !ok {
				name = "l" + strconv.Itoa(len(names))
				names[text] = name
				fmt.Fprintf(&rows, `<text id="%s">%s</text>`+"\n", name, text)
			}
			fmt.Fprintf(&uses, `<use href="#%s" y="%d"/>`, name, (i*f.rows+y)*cellHeight+fontSize)
		}
		uses.WriteString("\n")
	}
	return rows.String(), uses.String()
}

// line returns the text of a line, with an element for each run of one style. Each
// has its own position and width, since fonts differ in the width of a character.
func line(cells []vt10x.Glyph) string {
	end := len(cells)
	for end > 0 && blank(cells[end-1]) {
		end--
	}
	var out strings.Builder
	for x := 0; x < end; {
		start, class := x, classOf(cells[x])
		var text strings.Builder
		for ; x < end && classOf(cells[x]) == class; x++ {
			text.WriteRune(max(cells[x].Char, ' '))
		}
		if class != "" {
			class = ` class="` + class + `"`
		}
		fmt.Fprintf(&out, `<tspan x="%.1f" textLength="%.1f"%s>%s</tspan>`, float64(start)*cellWidth, float64(x-start)*cellWidth, class, escape(text.String()))
	}
	return out.String()
}

func blank(cell vt10x.Glyph) bool {
	return cell.Char <= ' ' && cell.Mode&modeUnderline == 0
}

// classOf returns the classes of a character's style. Colors beyond the first 16 and
// backgrounds are left out.
func classOf(cell vt10x.Glyph) string {
	var classes []string
	if cell.FG.ANSI() {
		classes = append(classes, "c"+strconv.Itoa(int(cell.FG)))
	}
	if cell.Mode&modeBold != 0 {
		classes = append(classes, "b")
	}
	if cell.Mode&modeUnderline != 0 {
		classes = append(classes, "u")
	}
	return strings.Join(classes, " ")
}

func escape(text string) string {
	var out bytes.Buffer
	// A buffer accepts everything.
	_ = xml.EscapeText(&out, []byte(text))
	return out.String()
}
