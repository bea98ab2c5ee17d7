package recipe

import (
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// lineFinder finds the lines of fields. Its zero value finds none.
type lineFinder struct {
	file *ast.File
}

func lines(text []byte) lineFinder {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return lineFinder{}
	}
	return lineFinder{file}
}

// line returns the line of a field such as images[0].kernel.location, or of the
// closest enclosing field in the text.
func (f lineFinder) line(field string) (int, bool) {
	if f.file == nil || field == "" {
		return 0, false
	}
	// Lima capitalizes one of its fields.
	field = strings.ToLower(field[:1]) + field[1:]
	for field != "" {
		if node := f.find("$." + field); node != nil {
			if line, ok := f.key(field); ok {
				return line, true
			}
			return node.GetToken().Position.Line, true
		}
		cut := max(strings.LastIndexByte(field, '.'), strings.LastIndexByte(field, '['))
		if cut < 0 {
			return 0, false
		}
		field = field[:cut]
	}
	return 0, false
}

// key returns the line of a field's name. The field's value may begin on a later one.
func (f lineFinder) key(field string) (int, bool) {
	if strings.HasSuffix(field, "]") {
		return 0, false
	}
	above, name := "$", field
	if cut := strings.LastIndexByte(field, '.'); cut >= 0 {
		above, name = "$."+field[:cut], field[cut+1:]
	}
	var values []*ast.MappingValueNode
	switch node := f.find(above).(type) {
	case *ast.MappingNode:
		values = node.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{node}
	}
	for _, value := range values {
		if value.Key.GetToken().Value == name {
			return value.Key.GetToken().Position.Line, true
		}
	}
	return 0, false
}

// pathPattern matches the paths that the YAML library accepts. A path with an open
// bracket makes the library panic.
var pathPattern = regexp.MustCompile(`^\$(\.[A-Za-z0-9_-]+|\[[0-9]{1,9}\])*$`)

func (f lineFinder) find(path string) ast.Node {
	if !pathPattern.MatchString(path) {
		return nil
	}
	p, err := yaml.PathString(path)
	if err != nil {
		return nil
	}
	node, err := p.FilterFile(f.file)
	if err != nil || node == nil {
		return nil
	}
	return node
}
