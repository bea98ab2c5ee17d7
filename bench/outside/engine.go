package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// parallel is how many requests fill the engine at once.
const parallel = 4

// engine is the Docker Engine API, as far as it is needed to make objects and
// to know what there is. It is not the client that is measured.
type engine struct {
	client *http.Client
}

func newEngine(socket string) *engine {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &engine{client: &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: parallel}}}
}

// call sends one request, and decodes the answer into out unless that is nil.
func (e *engine) call(ctx context.Context, method, path string, body io.Reader, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := e.client.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, bytes.TrimSpace(answer))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// importImage makes an image of a tar; the label makes it distinct.
func (e *engine) importImage(ctx context.Context, repo, tag string, content []byte) error {
	query := url.Values{
		"fromSrc": {"-"}, "repo": {repo}, "tag": {tag},
		"changes": {"LABEL made=" + repo + tag, `CMD ["/bin/sleep","86400"]`},
	}
	return e.call(ctx, http.MethodPost, "/images/create?"+query.Encode(), bytes.NewReader(content), nil)
}

func (e *engine) tag(ctx context.Context, image, repo, tag string) error {
	query := url.Values{"repo": {repo}, "tag": {tag}}
	return e.call(ctx, http.MethodPost, "/images/"+image+"/tag?"+query.Encode(), nil, nil)
}

func (e *engine) untag(ctx context.Context, tag string) error {
	return e.call(ctx, http.MethodDelete, "/images/"+tag, nil, nil)
}

// createContainer returns its ID. It has no network, which would take most of
// the time of its start, and ends at once when it is stopped.
func (e *engine) createContainer(ctx context.Context, name, image string) (string, error) {
	var answer struct{ ID string }
	body := strings.NewReader(fmt.Sprintf(
		`{"Image":%q,"Labels":{"name":%q},"StopSignal":"SIGKILL","HostConfig":{"NetworkMode":"none"}}`, image, name))
	err := e.call(ctx, http.MethodPost, "/containers/create?name="+name, body, &answer)
	return answer.ID, err
}

func (e *engine) start(ctx context.Context, id string) error {
	return e.call(ctx, http.MethodPost, "/containers/"+id+"/start", nil, nil)
}

func (e *engine) kill(ctx context.Context, id string) error {
	return e.call(ctx, http.MethodPost, "/containers/"+id+"/kill", nil, nil)
}

func (e *engine) removeContainer(ctx context.Context, id string) error {
	return e.call(ctx, http.MethodDelete, "/containers/"+id+"?force=1", nil, nil)
}

func (e *engine) createVolume(ctx context.Context, name string) error {
	return e.call(ctx, http.MethodPost, "/volumes/create", strings.NewReader(fmt.Sprintf(`{"Name":%q}`, name)), nil)
}

func (e *engine) removeVolume(ctx context.Context, name string) error {
	return e.call(ctx, http.MethodDelete, "/volumes/"+name, nil, nil)
}

// container is one of the engine's list.
type container struct{ ID, State string }

func (e *engine) containers(ctx context.Context) ([]container, error) {
	var all []container
	err := e.call(ctx, http.MethodGet, "/containers/json?all=1", nil, &all)
	return all, err
}

// contents returns what must be mirrored: identities, with the state of containers.
func (e *engine) contents(ctx context.Context) (map[string]string, error) {
	want := map[string]string{namespaces + "/" + containersv1.MobyNamespace: ""}
	all, err := e.containers(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		want[containers+"/"+c.ID] = c.State
	}
	var pictures []struct {
		ID       string `json:"Id"`
		RepoTags []string
	}
	if err := e.call(ctx, http.MethodGet, "/images/json", nil, &pictures); err != nil {
		return nil, err
	}
	for _, image := range pictures {
		tagged := false
		for _, tag := range image.RepoTags {
			if tag != "<none>:<none>" {
				want[images+"/"+tag], tagged = "", true
			}
		}
		if !tagged {
			want[images+"/"+image.ID] = ""
		}
	}
	var list struct{ Volumes []struct{ Name string } }
	if err := e.call(ctx, http.MethodGet, "/volumes", nil, &list); err != nil {
		return nil, err
	}
	for _, volume := range list.Volumes {
		want[volumes+"/"+volume.Name] = ""
	}
	return want, nil
}
