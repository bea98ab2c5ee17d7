//go:build linux

package dockerd

import (
	"context"
	"net/http"
	"slices"
)

// Container is an entry of the engine's list.
type Container struct{ ID, State string }

// Containers lists all containers, also those that do not run.
func (a *API) Containers(ctx context.Context) ([]Container, error) {
	var all []Container
	err := a.Call(ctx, http.MethodGet, "/containers/json?all=1", nil, &all)
	return all, err
}

// Image is an entry of the engine's list.
type Image struct {
	ID string `json:"Id"`
	// RepoTags is empty for an untagged image.
	RepoTags []string
}

// Images lists all images but intermediate ones.
func (a *API) Images(ctx context.Context) ([]Image, error) {
	var all []Image
	err := a.Call(ctx, http.MethodGet, "/images/json", nil, &all)
	for i, image := range all {
		// Older engines report this tag for an untagged image.
		all[i].RepoTags = slices.DeleteFunc(image.RepoTags, func(tag string) bool { return tag == "<none>:<none>" })
	}
	return all, err
}

// Volumes returns the names of all volumes.
func (a *API) Volumes(ctx context.Context) ([]string, error) {
	var list struct{ Volumes []struct{ Name string } }
	err := a.Call(ctx, http.MethodGet, "/volumes", nil, &list)
	var names []string
	for _, v := range list.Volumes {
		names = append(names, v.Name)
	}
	return names, err
}

// Tags returns the image ID of each tag.
func (a *API) Tags(ctx context.Context) (map[string]string, error) {
	all, err := a.Images(ctx)
	tags := map[string]string{}
	for _, image := range all {
		for _, tag := range image.RepoTags {
			tags[tag] = image.ID
		}
	}
	return tags, err
}
