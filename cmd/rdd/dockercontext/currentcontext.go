package dockercontext

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/userfile"
)

// currentKey is the key of the current context in config.json.
const currentKey = "currentContext"

func (c Config) file() string { return filepath.Join(c.dir, "config.json") }

// Current returns the name of the current context in config.json, which variables of
// the environment can override.
func (c Config) Current() (string, error) {
	text, err := os.ReadFile(c.file())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read docker's configuration: %w", err)
	}
	_, current, err := c.parse(text)
	return current, err
}

// parse returns the members of config.json, and the name of the current context.
func (c Config) parse(text []byte) (members []member, current string, err error) {
	members, err = decode(text)
	if err != nil {
		return nil, "", fmt.Errorf("docker's configuration %s is not valid JSON: %w: correct the file", c.file(), err)
	}
	current, err = currentOf(members)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %s: %w: correct the file", c.file(), currentKey, err)
	}
	return members, cmp.Or(current, DefaultName), nil
}

// changeCurrent makes the context current that choose returns for the name of the current
// one, and returns its name. It keeps everything else in config.json. The directory must
// exist.
func (c Config) changeCurrent(choose func(current string) string) (current string, err error) {
	err = userfile.Locked(c.dir, func() error {
		return userfile.Update(c.file(), func(text []byte) ([]byte, error) {
			members, before, err := c.parse(text)
			if err != nil {
				return nil, err
			}
			if current = choose(before); current == before {
				return text, nil
			}
			name := current
			if name == DefaultName {
				name = ""
			}
			return encode(withCurrent(members, name))
		})
	})
	if err != nil {
		return "", fmt.Errorf("change the current context of docker: %w", err)
	}
	return current, nil
}

// member is a key of a JSON object with its value. docker knows only some of the keys,
// and other programs keep others in the file, so all are kept as they are.
type member struct {
	key   string
	value json.RawMessage
}

// decode returns the members of a JSON object, in their order.
func decode(text []byte) ([]member, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if begin, err := decoder.Token(); err != nil {
		return nil, err
	} else if begin != json.Delim('{') {
		return nil, errors.New("the text does not begin with {")
	}
	var members []member
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		key, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("%v is not a key", token)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, eofNamed(err)
		}
		members = append(members, member{key, value})
	}
	if _, err := decoder.Token(); err != nil {
		return nil, eofNamed(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is text after the closing }")
	}
	return members, nil
}

// eofNamed returns an error that says what the end of the file means.
func eofNamed(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// encode formats members as docker does.
func encode(members []member) ([]byte, error) {
	var flat, text bytes.Buffer
	flat.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			flat.WriteByte(',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		flat.Write(key)
		flat.WriteByte(':')
		flat.Write(m.value)
	}
	flat.WriteByte('}')
	if err := json.Indent(&text, flat.Bytes(), "", "\t"); err != nil {
		return nil, err
	}
	text.WriteByte('\n')
	return text.Bytes(), nil
}

// isCurrent reports whether docker reads the member as the current context: it ignores
// the case of keys.
func (m member) isCurrent() bool { return strings.EqualFold(m.key, currentKey) }

// currentOf returns the name of the current context; empty for the default one. Of
// several members the last one counts.
func currentOf(members []member) (name string, err error) {
	for _, m := range members {
		if m.isCurrent() {
			if err := json.Unmarshal(m.value, &name); err != nil {
				return "", err
			}
		}
	}
	return name, nil
}

// withCurrent returns the members with another current context. An empty name removes
// it.
func withCurrent(members []member, name string) []member {
	value, _ := json.Marshal(name) // a string always has an encoding
	var changed []member
	for _, m := range members {
		switch {
		case !m.isCurrent():
			changed = append(changed, m)
		case name != "":
			changed = append(changed, member{m.key, value})
			name = ""
		}
	}
	if name != "" {
		changed = append(changed, member{currentKey, value})
	}
	return changed
}
