package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// engine is the Docker Engine API past the daemon, as far as it is needed to
// make trouble.
type engine struct{ client *http.Client }

func newEngine(socket string) *engine {
	return &engine{client: &http.Client{Transport: &http.Transport{DialContext: dialer(socket), MaxIdleConnsPerHost: 4}}}
}

// answerError is an answer that is not what was asked for. Where there is no
// such error, nobody knows whether the engine has done it.
type answerError struct {
	status int
	text   string
}

func (e *answerError) Error() string {
	return fmt.Sprintf("the engine answers %d: %s", e.status, e.text)
}

// call sends one request, and decodes the answer into out unless that is nil.
func (e *engine) call(ctx context.Context, method, path string, body io.Reader, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, body) //nolint:gosec // the names are made here
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := e.client.Do(request) //nolint:gosec // it dials one socket, whatever the address
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: %w", method, path, &answerError{response.StatusCode, string(bytes.TrimSpace(answer))})
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// importImage makes an image of a tar; the tag is in a label too, which makes it
// distinct.
func (e *engine) importImage(ctx context.Context, repo, tag string, content []byte) error {
	query := url.Values{
		"fromSrc": {"-"}, "repo": {repo}, "tag": {tag},
		"changes": {"LABEL made=" + repo + tag, `CMD ["/bin/sleep","86400"]`},
	}
	return e.call(ctx, http.MethodPost, "/images/create?"+query.Encode(), bytes.NewReader(content), nil)
}

func (e *engine) imageID(ctx context.Context, ref string) (string, error) {
	var image struct {
		ID string `json:"Id"`
	}
	err := e.call(ctx, http.MethodGet, "/images/"+ref+"/json", nil, &image)
	return image.ID, err
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

// do is one of the engine's verbs on a container: start, stop, kill, pause, unpause, restart.
func (e *engine) do(ctx context.Context, verb, id string) error {
	return e.call(ctx, http.MethodPost, "/containers/"+id+"/"+verb, nil, nil)
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

// volumes returns the names of all volumes.
func (e *engine) volumes(ctx context.Context) ([]string, error) {
	var list struct{ Volumes []struct{ Name string } }
	err := e.call(ctx, http.MethodGet, "/volumes", nil, &list)
	var names []string
	for _, v := range list.Volumes {
		names = append(names, v.Name)
	}
	return names, err
}

// images returns the ID of each tag.
func (e *engine) images(ctx context.Context) (map[string]string, error) {
	var list []struct {
		ID       string `json:"Id"`
		RepoTags []string
	}
	err := e.call(ctx, http.MethodGet, "/images/json", nil, &list)
	tags := map[string]string{}
	for _, image := range list {
		for _, tag := range image.RepoTags {
			if tag != "<none>:<none>" {
				tags[tag] = image.ID
			}
		}
	}
	return tags, err
}

// tarOf is a tar with one file in it.
func tarOf(file, name string) ([]byte, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s (Debian's busybox-static has it): %w", file, err)
	}
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	if err := writer.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
		return nil, fmt.Errorf("make a tar: %w", err)
	}
	if _, err := writer.Write(content); err != nil {
		return nil, fmt.Errorf("make a tar: %w", err)
	}
	if err := writer.Close(); err != nil {
		return nil, fmt.Errorf("make a tar: %w", err)
	}
	return buffer.Bytes(), nil
}
