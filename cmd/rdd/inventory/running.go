package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// running asks the Docker Engine at a socket for its objects.
func running(ctx context.Context, socket string) (Store, error) {
	httpClient, base, err := docker.HTTP("unix://" + socket)
	if err != nil {
		return Store{}, err
	}
	defer httpClient.CloseIdleConnections()
	var (
		containers []struct {
			ID, State string
			Names     []string
		}
		volumes struct{ Volumes []struct{ Name string } }
		images  []struct{}
	)
	for path, into := range map[string]any{
		"/containers/json?all=1": &containers, "/volumes": &volumes, "/images/json": &images,
	} {
		if err := get(ctx, httpClient, base+path, into); err != nil {
			return Store{}, err
		}
	}
	store := Store{Images: len(images)}
	for _, c := range containers {
		name := c.ID
		if len(c.Names) > 0 {
			name = strings.TrimPrefix(c.Names[0], "/")
		}
		switch c.State {
		case "running", "paused", "restarting":
			store.Running = append(store.Running, name)
		default:
			store.Stopped = append(store.Stopped, name)
		}
	}
	for _, v := range volumes.Volumes {
		store.Volumes = append(store.Volumes, v.Name)
	}
	for _, names := range [][]string{store.Running, store.Stopped, store.Volumes} {
		slices.Sort(names)
	}
	return store, nil
}

func get(ctx context.Context, httpClient *http.Client, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := httpClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask the engine for its objects: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("ask the engine for its objects: the engine answers %s", answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		return fmt.Errorf("read the engine's objects: %w", err)
	}
	return nil
}
