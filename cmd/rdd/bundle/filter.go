package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// objectFilter removes text from engine objects and resources. It keeps numbers,
// booleans, names of fields, and the text of fields that are known to have no
// secrets. Text of unknown fields, for example of a newer engine, is removed.
type objectFilter struct {
	// fields are the fields whose text is kept, in lower case.
	fields map[string]bool
	// named are fields with keys that users choose. All keys are kept, and the values
	// of the listed keys.
	named map[string]map[string]bool
	// options are the mount options whose values are kept.
	options map[string]bool
	// learned are removed values whose names are those of secrets.
	learned map[string]bool
}

func newObjectFilter() *objectFilter {
	none := map[string]bool{}
	labels := set(`app.kubernetes.io/name app.kubernetes.io/managed-by kubernetes.io/metadata.name
		com.docker.compose.project com.docker.compose.service com.docker.compose.version com.docker.compose.container-number
		org.opencontainers.image.version org.opencontainers.image.revision org.opencontainers.image.created
		org.opencontainers.image.ref.name desktop.docker.io/ports`)
	volume := set("type device o")
	return &objectFilter{
		fields: set(`apiVersion kind name generateName namespace uid resourceVersion creationTimestamp deletionTimestamp
			finalizers manager operation time fieldsType subresource
			type status reason message lastTransitionTime error state driver endpoint machine cpus memory
			action observedAt completedAt startedAt finishedAt createdAt created updatedAt lastUsedAt
			id ids image imageID path hostIP protocol mountpoint scope repoTag repoTags repoDigests architecture os variant
			health exitReason humanSize addresses restartPolicy hostname user workingDir networks version digest mediaType
			parentId parent parents names ip networkMode networkID endpointID gateway ipAddress ipv6Gateway
			globalIPv6Address macAddress aliases dnsNames source destination mode propagation
			driverStatus volume network authorization log systemTime loggingDriver cgroupDriver cgroupVersion
			kernelVersion operatingSystem osVersion osType indexServerAddress dockerRootDir httpProxy httpsProxy noProxy
			serverVersion defaultRuntime localNodeState nodeID isolation initBinary expected securityOptions warnings
			base cdiSpecDirs address containers plugins insecureRegistryCIDRs mirrors secure official level
			apiVersions minAPIVersion gitCommit goVersion arch buildTime platform component`),
		named: map[string]map[string]bool{
			"labels": labels, "annotations": none, "options": volume, "driveropts": volume, "args": none, "command": none,
			"description": none, "fieldsv1": none, "env": none, "environment": none,
		},
		options: set(`addr vers nfsvers proto port mountport sec uid gid file_mode dir_mode mode size nr_inodes rsize wsize
			timeo retrans actimeo iocharset cache bind rw ro hard soft nolock noexec nosuid nodev noatime relatime
			nobrl noperm serverino noserverino intr`),
		learned: map[string]bool{},
	}
}

func set(words string) map[string]bool {
	s := map[string]bool{}
	for word := range strings.FieldsSeq(words) {
		s[strings.ToLower(word)] = true
	}
	return s
}

// apply filters a JSON text. Other text, such as an error, is returned as it is; the
// redactor handles it.
func (f *objectFilter) apply(text []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil || decoder.More() {
		return text
	}
	out, err := asJSON(f.value("", value))
	if err != nil {
		return fmt.Appendf(nil, "not shown: %v\n", err)
	}
	return out
}

// value filters the value of a field.
func (f *objectFilter) value(field string, value any) any {
	allowed, named := f.named[strings.ToLower(field)]
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if named {
				v[key] = f.chosen(key, inner, allowed)
			} else {
				v[key] = f.value(key, inner)
			}
		}
		return v
	case []any:
		for i, inner := range v {
			v[i] = f.value(field, inner)
		}
		return v
	case string:
		if v == "" || !named && f.fields[strings.ToLower(field)] {
			return v
		}
		f.learn(v)
		return redacted
	default:
		return v
	}
}

// chosen filters a value whose key a user chose.
func (f *objectFilter) chosen(key string, value any, allowed map[string]bool) any {
	text, isText := value.(string)
	switch {
	case !isText: // such as managed fields, or labels of an unknown shape
		return f.value("", value)
	case text == "":
		return text
	case key == "o" && allowed["o"]:
		return f.mountOptions(text)
	case allowed[strings.ToLower(key)]:
		return text
	}
	f.learn(key + "=" + text)
	return redacted
}

// mountOptions keeps the names of options, and the values of known options.
func (f *objectFilter) mountOptions(text string) string {
	options := strings.Split(text, ",")
	for i, option := range options {
		name, value, hasValue := strings.Cut(option, "=")
		switch {
		case f.options[strings.ToLower(name)]:
		case hasValue:
			f.learn(option)
			options[i] = name + "=" + redacted
		case value == "" && option != "" && i > 0:
			// It can be the rest of a value that contains a comma.
			options[i] = redacted
		}
	}
	return strings.Join(options, ",")
}

// learn records the values in a text whose names are those of secrets, because they
// can also be elsewhere, such as in a log.
func (f *objectFilter) learn(text string) {
	for word := range strings.FieldsSeq(text) {
		name, value, isPair := strings.Cut(word, "=")
		if isPair && secretName(name) && len(value) >= minSecret {
			f.learned[value] = true
		}
		if value, ok := strings.CutPrefix(word, "-p"); ok && len(value) >= minSecret {
			f.learned[value] = true
		}
	}
}

// secrets returns the learned values.
func (f *objectFilter) secrets() []string {
	return slices.Sorted(maps.Keys(f.learned))
}
