package invariant

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// fields are the values of a status by path, without empty ones, as in the API server.
type fields map[string]string

// set adds a value unless it is empty.
func (f fields) set(path, value string) {
	if value != "" {
		f[path] = value
	}
}

// element adds a value of a list or map, where the empty string is a value too.
func (f fields) element(path, value string) { f[path] = strconv.Quote(value) }

// fieldsOf returns the fields of a mirror's status. It reads the JSON of the mirror,
// so that it compares fields and kinds that are new in the API.
func fieldsOf(mirror containersv1.Mirror) (fields, error) {
	text, err := json.Marshal(mirror)
	if err != nil {
		return nil, fmt.Errorf("encode a mirror: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var tree struct {
		Status map[string]any `json:"status"`
	}
	if err := decoder.Decode(&tree); err != nil {
		return nil, fmt.Errorf("decode a mirror: %w", err)
	}
	f := fields{}
	for name, value := range tree.Status {
		switch name {
		case "observedGeneration", "lastAction":
			// They are not from the engine; see promises.go.
		case "conditions":
			f.conditions(value)
		case "ports":
			f.ports(value)
		default:
			f.add(name, value)
		}
	}
	return f, nil
}

// add adds every scalar of a JSON value.
func (f fields) add(path string, value any) {
	elements := map[string]any{}
	switch v := value.(type) {
	case map[string]any:
		elements = v
	case []any:
		for i, element := range v {
			elements[strconv.Itoa(i)] = element
		}
	default:
		f.set(path, textOf(v))
	}
	for key, element := range elements {
		at := path + "[" + key + "]"
		if text, ok := element.(string); ok {
			f.element(at, text)
			continue
		}
		f.add(at, element)
	}
}

// conditions adds the status of each condition that mirrors the engine. promises.go
// checks rdd's own conditions.
func (f fields) conditions(value any) {
	list, _ := value.([]any)
	for _, element := range list {
		condition, _ := element.(map[string]any)
		name := fmt.Sprint(condition["type"])
		if !containersv1.IsOwnCondition(name) {
			f.set("conditions["+name+"]", fmt.Sprint(condition["status"]))
		}
	}
}

// ports adds the bindings of each port, sorted into one string.
func (f fields) ports(value any) {
	list, _ := value.([]any)
	for _, element := range list {
		port, _ := element.(map[string]any)
		path := fmt.Sprintf("ports[%v/%v]", port["containerPort"], port["protocol"])
		var texts []string
		bindings, _ := port["bindings"].([]any)
		for _, one := range bindings {
			binding, _ := one.(map[string]any)
			texts = append(texts, bindingText(textOf(binding["hostIP"]), textOf(binding["hostPort"])))
		}
		f.port(path, texts)
	}
}

// port adds one port, also if it has no bindings.
func (f fields) port(path string, bindings []string) {
	slices.Sort(bindings)
	f[path] = "exposed"
	f.set(path+".bindings", strings.Join(slices.Compact(bindings), " "))
}

func bindingText(ip, port string) string {
	return "[" + ip + "]:" + port
}

// textOf returns a JSON scalar as text. Zero and false count as absent.
func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return nonzero(v.String())
	case float64:
		return nonzero(strconv.FormatFloat(v, 'f', -1, 64))
	case bool:
		return nonzero(strconv.FormatBool(v))
	default:
		return ""
	}
}

func nonzero(text string) string {
	if text == "0" || text == "false" {
		return ""
	}
	return text
}
