package invariant

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// FromEndpoint reads the engine's own JSON, without the daemon's code. endpoint has a
// form that docker.Dial accepts. apiVersion is the version of the API that the daemon
// uses, such as 1.41, because versions have different fields; empty means the newest
// version of the engine.
func FromEndpoint(endpoint, apiVersion string) Source {
	return func(ctx context.Context) (Picture, error) {
		engine, err := newRawEngine(endpoint, apiVersion)
		if err != nil {
			return Picture{}, err
		}
		defer engine.close()
		return engine.picture(ctx)
	}
}

// rawKind is how the objects of one kind are read. A kind that is not listed here is
// not in the picture of an engine, so that its mirrors are differences.
type rawKind struct {
	kind containersv1.Kind
	// namePrefix is the documented prefix of the names of mirrors, before the hash of the
	// identifier. Empty: the name is the identifier.
	namePrefix string
	// list is the path of the list, and within the key of the list in the answer, if
	// the answer is no list itself.
	list, within string
	// inspect is the path of one object; empty if the list has every field.
	inspect string
	objects func(rawObject) []Object
}

func rawKinds() []rawKind {
	return []rawKind{
		{kind: containersv1.KindContainer, list: "/containers/json?all=1", inspect: "/containers/%s/json", objects: single(rawObject.container)},
		{kind: containersv1.KindImage, namePrefix: "img-", list: "/images/json", inspect: "/images/%s/json", objects: rawObject.images},
		{kind: containersv1.KindVolume, namePrefix: "vol-", list: "/volumes", within: "Volumes", objects: single(rawObject.volume)},
		{kind: containersv1.KindNetwork, namePrefix: "net-", list: "/networks", inspect: "/networks/%s", objects: single(rawObject.network)},
	}
}

func single(mapped func(rawObject) Object) func(rawObject) []Object {
	return func(o rawObject) []Object { return []Object{mapped(o)} }
}

func (o rawObject) images() (images []Object) {
	for _, tag := range o.tags() {
		images = append(images, o.image(tag))
	}
	return images
}

func (e *rawEngine) picture(ctx context.Context) (Picture, error) {
	p, kinds := newCollector(), rawKinds()
	lists := make([][]rawObject, len(kinds))
	for i, row := range kinds {
		var err error
		if lists[i], err = e.list(ctx, row); err != nil {
			return Picture{}, err
		}
	}
	for i, row := range kinds {
		if row.inspect == "" {
			for _, raw := range lists[i] {
				p.addAll(row.objects(raw))
			}
			continue
		}
		p.each(ctx, row.kind, ids(lists[i]), func(ctx context.Context, id string) error {
			raw := rawObject{}
			if err := e.get(ctx, fmt.Sprintf(row.inspect, url.PathEscape(id)), &raw); err != nil {
				return err
			}
			if raw.text("Id") == "" {
				return errors.New("the engine gave the object no ID")
			}
			p.addAll(row.objects(raw))
			return nil
		})
	}
	return p.finish(ctx)
}

// list reads the list of a kind.
func (e *rawEngine) list(ctx context.Context, row rawKind) ([]rawObject, error) {
	if row.within == "" {
		var list []rawObject
		err := e.get(ctx, row.list, &list)
		return list, err
	}
	var answer rawObject
	if err := e.get(ctx, row.list, &answer); err != nil {
		return nil, err
	}
	elements, _ := answer.at(row.within).([]any)
	list := make([]rawObject, len(elements))
	for i, element := range elements {
		list[i], _ = element.(map[string]any)
	}
	return list, nil
}

// ids returns the IDs in a list, each once.
func ids(list []rawObject) []string {
	seen := map[string]bool{}
	var ids []string
	for _, object := range list {
		if id := object.text("Id"); id != "" && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}
