package invariant

import (
	"context"
	"errors"
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

func (e *rawEngine) picture(ctx context.Context) (Picture, error) {
	containers, err := e.ids(ctx, "/containers/json?all=1")
	if err != nil {
		return Picture{}, err
	}
	images, err := e.ids(ctx, "/images/json")
	if err != nil {
		return Picture{}, err
	}
	networks, err := e.ids(ctx, "/networks")
	if err != nil {
		return Picture{}, err
	}
	var volumes struct{ Volumes []rawObject }
	if err := e.get(ctx, "/volumes", &volumes); err != nil {
		return Picture{}, err
	}
	p := newCollector()
	for _, volume := range volumes.Volumes {
		p.add(volume.volume(), nil)
	}
	p.each(ctx, containersv1.KindContainer, containers, func(ctx context.Context, id string) error {
		raw := rawObject{}
		err := e.get(ctx, "/containers/"+url.PathEscape(id)+"/json", &raw)
		if err == nil {
			p.add(raw.container(), nil)
		}
		return err
	})
	p.each(ctx, containersv1.KindNetwork, networks, func(ctx context.Context, id string) error {
		raw := rawObject{}
		err := e.get(ctx, "/networks/"+url.PathEscape(id), &raw)
		if err == nil {
			p.add(raw.network(), nil)
		}
		return err
	})
	p.each(ctx, containersv1.KindImage, images, func(ctx context.Context, id string) error {
		raw := rawObject{}
		if err := e.get(ctx, "/images/"+url.PathEscape(id)+"/json", &raw); err != nil {
			return err
		}
		if raw.text("Id") == "" {
			return errors.New("the engine gave the image no ID")
		}
		for _, tag := range raw.tags() {
			p.add(raw.image(tag), nil)
		}
		return nil
	})
	return p.finish(ctx)
}

// ids lists the IDs of objects, each once.
func (e *rawEngine) ids(ctx context.Context, path string) ([]string, error) {
	var list []rawObject
	if err := e.get(ctx, path, &list); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var ids []string
	for _, object := range list {
		if id := object.text("Id"); id != "" && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}
