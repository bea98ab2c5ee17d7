package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/streaming/pkg/httpstream"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Streams opens the streams of containers.
type Streams struct {
	config *rest.Config
	http   *http.Client
}

// NewStreams returns the streams of the API server of config.
func NewStreams(config *rest.Config) (*Streams, error) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("make a client for %s: %w", config.Host, err)
	}
	return &Streams{config: config, http: client}, nil
}

func (s *Streams) url(c *containersv1.Container, subresource string, query url.Values) string {
	return strings.TrimSuffix(s.config.Host, "/") + mirrorsPath(c.Namespace, containersv1.KindContainer) + "/" + c.Name + "/" + subresource + "?" + query.Encode()
}

// BrokenError reports a stream that ended before its container did.
type BrokenError struct{ Reason string }

func (e *BrokenError) Error() string { return "the stream ended: " + e.Reason }

// Log copies the log of a container.
func (s *Streams) Log(ctx context.Context, c *containersv1.Container, query url.Values, to io.Writer) error {
	resp, err := s.get(ctx, s.url(c, "log", query))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(to, resp.Body); err != nil {
		return fmt.Errorf("log of container %s: %w", c.Status.Name, lost(ctx, err))
	}
	if reason := resp.Trailer.Get("X-Rdd-Reason"); reason != "" {
		return &BrokenError{reason}
	}
	return nil
}

// lost explains a connection that broke. The server drops a client that reads nothing for
// a minute.
func lost(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("the connection to the daemon broke (%w): it ended, see 'rdd svc status', or nothing was read for a minute: run the command again", err)
}

func (s *Streams) get(ctx context.Context, target string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("connect to the daemon: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		content, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		return nil, refusal(resp.Status, content)
	}
	return resp, nil
}

// refusal returns the status that a server sent, or its text.
func refusal(code string, content []byte) error {
	var status metav1.Status
	if err := json.Unmarshal(content, &status); err != nil || status.Message == "" {
		return fmt.Errorf("the daemon answered %s: %s", code, content)
	}
	return &apierrors.StatusError{ErrStatus: status}
}

// Stats calls sink with each reading of a container, until it ends.
func (s *Streams) Stats(ctx context.Context, c *containersv1.Container, once bool, sink func(engine.Stats)) error {
	query := url.Values{}
	if once {
		query.Set("stream", "false")
	}
	resp, err := s.get(ctx, s.url(c, "stats", query))
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	decoder := json.NewDecoder(resp.Body)
	for {
		var line struct {
			engine.Stats
			Kind, Message string
		}
		if err := decoder.Decode(&line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return lost(ctx, err)
		}
		if line.Kind == "Status" {
			return &BrokenError{line.Message}
		}
		sink(line.Stats)
	}
}

// Exec runs a command in a container, or attaches to it without one. The error of a
// command that fails is a CodeExitError of package k8s.io/client-go/util/exec.
func (s *Streams) Exec(ctx context.Context, c *containersv1.Container, command []string, options remotecommand.StreamOptions) error {
	query, subresource := url.Values{"command": command}, "exec"
	if len(command) == 0 {
		query, subresource = url.Values{}, "attach"
	}
	for name, isSet := range map[string]bool{
		"stdin": options.Stdin != nil, "stdout": options.Stdout != nil, "stderr": options.Stderr != nil, "tty": options.Tty,
	} {
		query.Set(name, fmt.Sprint(isSet))
	}
	executor, err := remotecommand.NewWebSocketExecutor(s.config, http.MethodGet, s.url(c, subresource, query))
	if err != nil {
		return fmt.Errorf("connect to container %s: %w", c.Status.Name, err)
	}
	err = executor.StreamWithContext(ctx, options)
	if upgrade, ok := errors.AsType[*httpstream.UpgradeFailureError](err); ok {
		return upgrade.Cause
	}
	return err
}
