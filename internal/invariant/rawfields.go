package invariant

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// rawObject is JSON as the engine sends it.
type rawObject map[string]any

// at returns the value at a path of keys, or nil if the path ends early.
func (o rawObject) at(path ...string) any {
	var value any = map[string]any(o)
	for _, key := range path {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}

// text returns a scalar as the API server stores it.
func (o rawObject) text(path ...string) string { return valid(textOf(o.at(path...))) }

// valid replaces invalid UTF-8 in text.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// object returns the JSON object at a path, or nil.
func (o rawObject) object(path ...string) map[string]any {
	object, _ := o.at(path...).(map[string]any)
	return object
}

// list returns the list of strings at a path.
func (o rawObject) list(path ...string) []string {
	values, _ := o.at(path...).([]any)
	var texts []string
	for _, value := range values {
		texts = append(texts, valid(textOf(value)))
	}
	return texts
}

// time returns a time as the API stores it: in UTC, to the microsecond. It is empty for
// the year 1, which is Docker's value for never, and for years that the API cannot store.
func (o rawObject) time(path ...string) string {
	at, err := time.Parse(time.RFC3339Nano, o.text(path...))
	if at = at.UTC(); err != nil || at.Year() <= 1 || at.Year() > 9999 {
		return ""
	}
	return at.Truncate(time.Microsecond).Format("2006-01-02T15:04:05.000000Z")
}

func (f fields) texts(path string, values map[string]any) {
	for key, value := range values {
		f.element(path+"["+valid(key)+"]", valid(textOf(value)))
	}
}

func (f fields) list(path string, values []string) {
	for i, value := range values {
		f.element(fmt.Sprintf("%s[%d]", path, i), value)
	}
}

// copied adds scalars under their names in the API.
func (f fields) copied(o rawObject, names map[string][]string) {
	f.set("namespace", containersv1.MobyNamespace)
	for name, path := range names {
		f.set(name, o.text(path...))
	}
}

// tags returns the tags of an image, or one empty tag. Some engines also list digests,
// or "<none>" if there is no tag.
func (o rawObject) tags() []string {
	tags := slices.DeleteFunc(o.list("RepoTags"), func(tag string) bool {
		return tag == "" || strings.Contains(tag, "<none>") || strings.Contains(tag, "@")
	})
	slices.Sort(tags)
	if tags = slices.Compact(tags); len(tags) == 0 {
		return []string{""}
	}
	return tags
}

func (o rawObject) image(tag string) Object {
	f := fields{}
	f.copied(o, map[string][]string{"id": {"Id"}, "architecture": {"Architecture"}, "os": {"Os"}, "size": {"Size"}})
	f.set("humanSize", rawHumanSize(o.text("Size")))
	f.set("repoTag", tag)
	digests := slices.DeleteFunc(o.list("RepoDigests"), func(digest string) bool {
		return digest == "" || strings.HasPrefix(digest, "<none>")
	})
	slices.Sort(digests)
	f.list("repoDigests", slices.Compact(digests))
	f.texts("labels", o.object("Config", "Labels"))
	f.set("createdAt", o.time("Created"))
	id := identity{containersv1.KindImage, o.text("Id"), tag}
	if tag == "" {
		tag = id.id
	}
	return Object{identity: id, label: tag, fields: f}
}

func (o rawObject) volume() Object {
	f := fields{}
	f.copied(o, map[string][]string{"name": {"Name"}, "driver": {"Driver"}, "mountpoint": {"Mountpoint"}, "scope": {"Scope"}})
	f.texts("labels", o.object("Labels"))
	f.texts("options", o.object("Options"))
	f.set("createdAt", o.time("CreatedAt"))
	name := o.text("Name")
	return Object{identity: identity{containersv1.KindVolume, name, ""}, label: name, fields: f}
}

func (o rawObject) network() Object {
	f := fields{}
	f.copied(o, map[string][]string{
		"name": {"Name"}, "id": {"Id"}, "driver": {"Driver"}, "scope": {"Scope"},
		"internal": {"Internal"}, "attachable": {"Attachable"}, "ipv6": {"EnableIPv6"},
	})
	f.texts("labels", o.object("Labels"))
	f.texts("options", o.object("Options"))
	f.set("createdAt", o.time("Created"))
	f.quoted("ipam[driver]", o.text("IPAM", "Driver"))
	f.texts("ipam[options]", o.object("IPAM", "Options"))
	configs, _ := o.at("IPAM", "Config").([]any)
	for i, value := range configs {
		config, _ := value.(map[string]any)
		path := fmt.Sprintf("ipam[configs][%d]", i)
		for name, key := range map[string]string{"subnet": "Subnet", "ipRange": "IPRange", "gateway": "Gateway"} {
			f.quoted(path+"["+name+"]", rawObject(config).text(key))
		}
		f.texts(path+"[auxiliaryAddresses]", rawObject(config).object("AuxiliaryAddresses"))
	}
	attached := 0
	for id := range o.object("Containers") {
		if len(id) == containerIDLength {
			attached++
		}
	}
	f.set("containers", nonzero(strconv.Itoa(attached)))
	return Object{identity: identity{containersv1.KindNetwork, o.text("Id"), ""}, label: o.text("Name"), fields: f}
}

// containerIDLength is the length of a container's ID. A network also lists endpoints
// that belong to no container, by other names.
const containerIDLength = 64

// quoted adds a string inside of a structure, unless it is empty.
func (f fields) quoted(path, text string) {
	if text != "" {
		f.element(path, text)
	}
}

// rawHumanSize returns a size in bytes as docker images shows it.
func rawHumanSize(text string) string {
	size, _ := strconv.ParseFloat(text, 64) // an absent size is 0
	return units.HumanSizeWithPrecision(size, 3)
}
