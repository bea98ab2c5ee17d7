//go:build linux

package dockerd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// ImportImage creates an image from a tar. A label with its tag makes it distinct. Its
// containers run /bin/sleep.
func (a *API) ImportImage(ctx context.Context, repo, tag string, content []byte) error {
	query := url.Values{
		"fromSrc": {"-"}, "repo": {repo}, "tag": {tag},
		"changes": {"LABEL made=" + repo + tag, `CMD ["/bin/sleep","86400"]`},
	}
	return a.Call(ctx, http.MethodPost, "/images/create?"+query.Encode(), bytes.NewReader(content), nil)
}

// ImageID returns the image ID of a tag.
func (a *API) ImageID(ctx context.Context, ref string) (string, error) {
	var image struct {
		ID string `json:"Id"`
	}
	err := a.Call(ctx, http.MethodGet, "/images/"+ref+"/json", nil, &image)
	return image.ID, err
}

// Tag adds a tag to an image, and removes it from another one.
func (a *API) Tag(ctx context.Context, image, repo, tag string) error {
	query := url.Values{"repo": {repo}, "tag": {tag}}
	return a.Call(ctx, http.MethodPost, "/images/"+image+"/tag?"+query.Encode(), nil, nil)
}

// Untag removes a tag, and with its last tag the image.
func (a *API) Untag(ctx context.Context, tag string) error {
	return a.Call(ctx, http.MethodDelete, "/images/"+tag, nil, nil)
}

// CreateContainer returns the ID of a new container. It has no network, which would
// take most of the time of its start, and a stop ends it at once. It runs program, or
// else that of the image.
func (a *API) CreateContainer(ctx context.Context, name, image string, program ...string) (string, error) {
	return a.createContainer(ctx, name, map[string]any{"Image": image, "Cmd": program, "StopSignal": "SIGKILL"})
}

// CreateStubbornContainer is CreateContainer, and the container ignores its stop signal:
// the engine kills it after some seconds.
func (a *API) CreateStubbornContainer(ctx context.Context, name, image string, seconds int) (string, error) {
	return a.createContainer(ctx, name, map[string]any{"Image": image, "StopSignal": "SIGTERM", "StopTimeout": seconds})
}

func (a *API) createContainer(ctx context.Context, name string, config map[string]any) (string, error) {
	config["Labels"] = map[string]string{"name": name}
	config["HostConfig"] = map[string]string{"NetworkMode": "none"}
	body, err := json.Marshal(config)
	if err != nil {
		return "", fmt.Errorf("create container %s: %w", name, err)
	}
	var answer struct{ ID string }
	err = a.Call(ctx, http.MethodPost, "/containers/create?name="+name, bytes.NewReader(body), &answer)
	return answer.ID, err
}

// Push pushes a tag to its registry, which needs no password.
func (a *API) Push(ctx context.Context, ref string) error {
	at := strings.LastIndexByte(ref, ':')
	path := "/images/" + ref[:at] + "/push?tag=" + ref[at+1:]
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine"+path, http.NoBody) //nolint:gosec // the names are those of a test
	if err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	request.Header.Set("X-Registry-Auth", "e30=") // no credentials: {}
	response, err := a.client.Do(request)         //nolint:gosec // it always dials one socket
	if err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("push %s: %w", ref, err)
	}
	if response.StatusCode >= http.StatusBadRequest || bytes.Contains(answer, []byte("errorDetail")) {
		return fmt.Errorf("push %s: %w", ref, &AnswerError{response.StatusCode, string(bytes.TrimSpace(answer))})
	}
	return nil
}

// Commit creates an image from a container, without a tag when tag is empty.
func (a *API) Commit(ctx context.Context, container, repo, tag string) error {
	query := url.Values{"container": {container}}
	if tag != "" {
		query.Set("repo", repo)
		query.Set("tag", tag)
	}
	return a.Call(ctx, http.MethodPost, "/commit?"+query.Encode(), strings.NewReader("{}"), nil)
}

// Network connects a container to a network, or disconnects it (verb).
func (a *API) Network(ctx context.Context, verb, network, container string) error {
	return a.Call(ctx, http.MethodPost, "/networks/"+network+"/"+verb, strings.NewReader(fmt.Sprintf(`{"Container":%q}`, container)), nil)
}

// PruneVolumes removes every volume that no container uses.
func (a *API) PruneVolumes(ctx context.Context) error {
	err := a.Call(ctx, http.MethodPost, "/volumes/prune?"+url.Values{"filters": {`{"all":["true"]}`}}.Encode(), nil, nil)
	var answer *AnswerError
	if errors.As(err, &answer) && answer.Status == http.StatusBadRequest {
		return a.Call(ctx, http.MethodPost, "/volumes/prune", nil, nil) // before API 1.42 this prunes all
	}
	return err
}

// PruneImages removes every image that has no tag and that no container uses.
func (a *API) PruneImages(ctx context.Context) error {
	return a.Call(ctx, http.MethodPost, "/images/prune", nil, nil)
}

// Do applies a verb of the engine to a container: start, stop, kill, pause, unpause,
// restart, or rename with a query.
func (a *API) Do(ctx context.Context, verb, id string) error {
	return a.Call(ctx, http.MethodPost, "/containers/"+id+"/"+verb, nil, nil)
}

// Exec runs a command in a container with the requests of docker exec, and returns its
// exit code.
func (a *API) Exec(ctx context.Context, container string, command ...string) (int, error) {
	body, err := json.Marshal(map[string]any{"Cmd": command, "AttachStdout": true, "AttachStderr": true})
	if err != nil {
		return 0, fmt.Errorf("run %v in container %s: %w", command, container, err)
	}
	var exec struct{ ID string }
	if err := a.Call(ctx, http.MethodPost, "/containers/"+container+"/exec", bytes.NewReader(body), &exec); err != nil {
		return 0, err
	}
	// The answer is the output, which ends with the command.
	if err := a.Call(ctx, http.MethodPost, "/exec/"+exec.ID+"/start", strings.NewReader(`{"Detach":false,"Tty":false}`), nil); err != nil {
		return 0, err
	}
	var state struct{ ExitCode int }
	err = a.Call(ctx, http.MethodGet, "/exec/"+exec.ID+"/json", nil, &state)
	return state.ExitCode, err
}

// RemoveContainer removes a container, also one that runs.
func (a *API) RemoveContainer(ctx context.Context, id string) error {
	return a.Call(ctx, http.MethodDelete, "/containers/"+id+"?force=1", nil, nil)
}

// CreateVolume creates a volume of the local driver.
func (a *API) CreateVolume(ctx context.Context, name string) error {
	return a.Call(ctx, http.MethodPost, "/volumes/create", strings.NewReader(fmt.Sprintf(`{"Name":%q}`, name)), nil)
}

// RemoveVolume fails while a container uses it.
func (a *API) RemoveVolume(ctx context.Context, name string) error {
	return a.Call(ctx, http.MethodDelete, "/volumes/"+name, nil, nil)
}
