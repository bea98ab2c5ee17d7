package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// sieve is what objects of the engine and resources pass: of their text only that
// stays which is known to hold no secret. Numbers, booleans and names of fields stay.
// A field that is not known, as of an engine newer than this program, loses its text.
type sieve struct {
	// fields whose text stays, in lower case.
	fields map[string]bool
	// named are fields with keys of a user's choice: the keys stay, and the values
	// of those that are listed.
	named map[string]map[string]bool
	// options of mounts whose values stay.
	options map[string]bool
	// learned are values that were taken out and look like secrets by their names.
	learned map[string]bool
}

func newSieve() *sieve {
	none := map[string]bool{}
	labels := set(`app.kubernetes.io/name app.kubernetes.io/managed-by kubernetes.io/metadata.name
		com.docker.compose.project com.docker.compose.service com.docker.compose.version com.docker.compose.container-number
		org.opencontainers.image.version org.opencontainers.image.revision org.opencontainers.image.created
		org.opencontainers.image.ref.name desktop.docker.io/ports`)
	volume := set("type device o")
	return &sieve{
		fields: set(`apiVersion kind name generateName namespace uid resourceVersion creationTimestamp deletionTimestamp
			finalizers manager operation time fieldsType subresource
			type status reason message lastTransitionTime error state driver endpoint machine cpus memory
			action observedAt completedAt startedAt finishedAt createdAt created updatedAt lastUsedAt
			id ids image imageID path hostIP protocol mountpoint scope repoTag repoTags repoDigests architecture os variant
			health restartPolicy hostname user workingDir networks version digest mediaType
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

// sift returns a JSON text without what may be secret. A text that is no JSON, such
// as an error, is left to the patterns.
func (s *sieve) sift(text []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil || decoder.More() {
		return text
	}
	out, err := asJSON(s.value("", value))
	if err != nil {
		return fmt.Appendf(nil, "not shown: %v\n", err)
	}
	return out
}

// value sifts what stands in a field.
func (s *sieve) value(field string, value any) any {
	allowed, named := s.named[strings.ToLower(field)]
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if named {
				v[key] = s.chosen(key, inner, allowed)
			} else {
				v[key] = s.value(key, inner)
			}
		}
		return v
	case []any:
		for i, inner := range v {
			v[i] = s.value(field, inner)
		}
		return v
	case string:
		if v == "" || !named && s.fields[strings.ToLower(field)] {
			return v
		}
		s.learn(v)
		return redacted
	default:
		return v
	}
}

// chosen sifts what a user gave a name to.
func (s *sieve) chosen(key string, value any, allowed map[string]bool) any {
	text, isText := value.(string)
	switch {
	case !isText: // such as managed fields, or labels of an unknown shape
		return s.value("", value)
	case text == "":
		return text
	case key == "o" && allowed["o"]:
		return s.mountOptions(text)
	case allowed[strings.ToLower(key)]:
		return text
	}
	s.learn(key + "=" + text)
	return redacted
}

// mountOptions keeps the names of options and the values of those that are known.
func (s *sieve) mountOptions(text string) string {
	options := strings.Split(text, ",")
	for i, option := range options {
		name, value, hasValue := strings.Cut(option, "=")
		switch {
		case s.options[strings.ToLower(name)]:
		case hasValue:
			s.learn(option)
			options[i] = name + "=" + redacted
		case value == "" && option != "" && i > 0:
			// Not known: it may be the rest of a value that has a comma in it.
			options[i] = redacted
		}
	}
	return strings.Join(options, ",")
}

// learn remembers the values in a text that are secret by their names: they may
// stand elsewhere too, such as in a log.
func (s *sieve) learn(text string) {
	for word := range strings.FieldsSeq(text) {
		name, value, isPair := strings.Cut(word, "=")
		if isPair && secretName(name) && len(value) >= minSecret {
			s.learned[value] = true
		}
		if value, ok := strings.CutPrefix(word, "-p"); ok && len(value) >= minSecret {
			s.learned[value] = true
		}
	}
}

// secrets are the values that were learned.
func (s *sieve) secrets() []string {
	return slices.Sorted(maps.Keys(s.learned))
}
