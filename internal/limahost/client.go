package limahost

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// Client asks the host agent of a VM.
type Client struct {
	http *http.Client
}

// NewClient returns a client for the agent that serves at p.Socket, now or later.
func NewClient(p Paths) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", p.Socket())
	}
	// Each question gets a connection of its own, so that none outlives an agent.
	return &Client{http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Status returns the agent's status. With since 0 it returns at once, otherwise
// when the status is newer than revision since, or after LongPoll with what it is
// then. ctx must leave time for that.
func (c *Client) Status(ctx context.Context, since int64) (Status, error) {
	url := fmt.Sprintf("http://hostagent/status?since=%d", since)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return Status{}, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Status{}, fmt.Errorf("ask the host agent: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
		return Status{}, fmt.Errorf("ask the host agent: %s: %s", response.Status, strings.TrimSpace(string(text)))
	}
	var status Status
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		return Status{}, fmt.Errorf("read the host agent's answer: %w", err)
	}
	return status, nil
}

// Alive says whether a host agent lives, and its pid (0 when it has not written
// it yet). It asks for the lock and not for the pid, so that neither a file left
// behind nor a recycled pid is taken for an agent.
func Alive(p Paths) (pid int, alive bool, err error) {
	pid, alive, err = instance.Running(p.PidFile())
	if err != nil {
		return 0, false, fmt.Errorf("look for the host agent: %w", err)
	}
	return pid, alive, nil
}

// LastEnd returns how the last agent ended; found is false when it was killed,
// or when there was none, or when one lives.
func LastEnd(p Paths) (end End, found bool, err error) {
	found, err = Load(p.End(), &end)
	return end, found, err
}
