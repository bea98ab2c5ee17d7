package recipe

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/lima-vm/lima/pkg/limayaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// parse parses a lima.yaml without Lima's defaults. It checks the YAML, the names of
// the fields, and that all parameters are used.
func parse(text []byte, name string, p limahost.Paths) (*limayaml.LimaYAML, error) {
	var y limayaml.LimaYAML
	if err := limayaml.Unmarshal(text, &y, name); err != nil {
		return nil, invalid(err, text, name)
	}
	// Load alone, of Lima's exported functions, checks the parameters.
	if _, err := limayaml.LoadWithWarnings(text, limaYAML(p)); err != nil {
		return nil, invalid(err, text, name)
	}
	return &y, nil
}

// check validates a lima.yaml with its defaults, for Lima and for rdd.
func check(y *limayaml.LimaYAML, text []byte, name string) error {
	err := limayaml.Validate(y, false)
	if len(y.Mounts) > 0 && *y.MountType == limayaml.REVSSHFS {
		err = errors.Join(err, errors.New("field `mountType` must be \"9p\" or \"virtiofs\": rdd does not support SSHFS"))
	}
	for i, network := range y.Networks {
		if network.VZNAT == nil || !*network.VZNAT {
			err = errors.Join(err, fmt.Errorf("field `networks[%d]` needs a daemon of Lima's that rdd does not run: remove the field, because rdd forwards published ports itself", i))
		}
	}
	for i, rule := range y.PortForwards {
		if rule.Reverse {
			err = errors.Join(err, fmt.Errorf("field `portForwards[%d].reverse` is not supported by rdd", i))
		}
	}
	if err == nil {
		return nil
	}
	return invalid(err, text, name)
}

// invalid returns an error with the lines of a lima.yaml that are invalid.
func invalid(err error, text []byte, name string) error {
	lines := lines(text)
	var all []string
	for _, one := range flatten(err) {
		line, what := locate(one, lines)
		all = append(all, fmt.Sprintf("%s:%d: %s", name, line, what))
	}
	return fmt.Errorf("the VM's lima.yaml is not valid, nothing was changed:\n%s", strings.Join(all, "\n"))
}

// flatten returns the errors that were joined.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // Wrapped errors keep their text.
	if !ok {
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, flatten(one)...)
	}
	return all
}

// locate returns the line of an error, and its message.
func locate(err error, lines lineFinder) (line int, what string) {
	var marked yaml.Error
	if errors.As(err, &marked) && marked.GetToken() != nil {
		return marked.GetToken().Position.Line, marked.GetMessage()
	}
	what = err.Error()
	// This is the format of the other YAML parser that Lima uses.
	if found := regexp.MustCompile(`yaml: line (\d+): (.*)`).FindStringSubmatch(what); found != nil {
		if line, err := strconv.Atoi(found[1]); err == nil {
			return line, found[2]
		}
	}
	for _, field := range fields(what) {
		if line, ok := lines.line(field); ok {
			return line, what
		}
	}
	return 1, what
}

// fields returns the names of fields in a message of Lima's, the likeliest first.
func fields(message string) []string {
	var names []string
	for _, found := range regexp.MustCompile("`([A-Za-z][A-Za-z0-9.\\[\\]]*)").FindAllStringSubmatch(message, -1) {
		names = append(names, found[1])
	}
	// Some messages begin with a name without quotes.
	if found := regexp.MustCompile(`^([A-Za-z]+(?:\[\d+\])?(?:\.[A-Za-z]+)*) `).FindStringSubmatch(message); found != nil {
		names = append(names, found[1])
	}
	return names
}
