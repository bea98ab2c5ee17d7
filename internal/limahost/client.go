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

// Client reads the status of a VM's host agent.
type Client struct {
	http *http.Client
}

// NewClient returns a client of the agent that serves at p.Socket. The agent need
// not be running yet.
func NewClient(p Paths) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", p.Socket())
	}
	// Each request has its own connection, so that none outlives an agent.
	return &Client{http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// Status returns the agent's status. It returns at once for since 0, and otherwise
// when the status is newer than revision since or LongPoll has passed. ctx must
// leave time for that.
func (c *Client) Status(ctx context.Context, since int64) (Status, error) {
	url := fmt.Sprintf("http://hostagent/status?since=%d", since)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return Status{}, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return Status{}, fmt.Errorf("query the host agent: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
		return Status{}, fmt.Errorf("query the host agent: %s: %s", response.Status, strings.TrimSpace(string(text)))
	}
	var status Status
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		return Status{}, fmt.Errorf("decode the host agent's status: %w", err)
	}
	return status, nil
}

// Alive reports whether a host agent runs, and its pid, which is 0 until the agent
// has written it. It checks the lock, so that neither a stale file nor a recycled pid
// counts as an agent.
func Alive(p Paths) (pid int, alive bool, err error) {
	pid, alive, err = instance.Running(p.PidFile())
	if err != nil {
		return 0, false, fmt.Errorf("check whether a host agent runs: %w", err)
	}
	return pid, alive, nil
}

// LastExit returns how the last agent exited. It finds nothing when that agent was
// killed, when there was none, and while an agent runs.
func LastExit(p Paths) (status ExitStatus, found bool, err error) {
	found, err = Load(p.ExitStatus(), &status)
	return status, found, err
}
