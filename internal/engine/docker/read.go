package docker

import (
	"context"

	"github.com/moby/moby/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// read makes one call of moby's client and returns the body of the answer.
func (d *httpAPI) read(ctx context.Context, doing string, call func(context.Context, *client.Client) error) ([]byte, error) {
	cli, err := d.client(ctx)
	if err != nil {
		return nil, failed(doing, err)
	}
	ctx, body := withRawBody(ctx)
	if err := call(ctx, cli); err != nil {
		return nil, failed(doing, err)
	}
	return body.Bytes(), nil
}

// List implements API.
func (d *httpAPI) List(ctx context.Context, kind containersv1.Kind) ([]Listed, error) {
	row, err := rowOf(d.kinds, kind)
	if err != nil {
		return nil, err
	}
	doing := "list " + row.noun + "s"
	raw, err := d.read(ctx, doing, row.list)
	if err != nil {
		return nil, err
	}
	objects, warnings, err := row.listed(raw)
	if err != nil {
		return nil, failed(doing, err)
	}
	for _, warning := range warnings {
		d.logger.WarnContext(ctx, "the engine's list has a warning", "kind", kind, "warning", warning)
	}
	return objects, nil
}

// Inspect implements API.
func (d *httpAPI) Inspect(ctx context.Context, kind containersv1.Kind, id string) ([]containersv1.Mirror, error) {
	row, err := rowOf(d.kinds, kind)
	if err != nil {
		return nil, err
	}
	doing := "inspect " + row.noun + " " + id
	raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) error { return row.inspect(ctx, cli, id) })
	if err != nil {
		return nil, err
	}
	mirrors, err := row.mapped(raw)
	if err != nil {
		return nil, failed(doing, err)
	}
	return mirrors, nil
}

// mapListed returns the objects of a list, each once, in the engine's order. Only
// images have tags and digests.
func mapListed(raw []byte) ([]Listed, []string, error) {
	var wire []struct {
		ID          string `json:"Id"`
		RepoTags    []string
		RepoDigests []string
	}
	if err := decode(raw, &wire); err != nil {
		return nil, nil, err
	}
	objects := make([]Listed, 0, len(wire))
	seen := make(map[string]bool, len(wire))
	for _, w := range wire {
		id := toValidUTF8(w.ID)
		if id == "" || seen[id] {
			continue
		}
		seen[id] = true
		objects = append(objects, Listed{ID: id, Tags: imageTags(w.RepoTags), Digests: imageDigests(w.RepoDigests)})
	}
	return objects, nil, nil
}
