package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/doctor"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/vmstatus"
)

// part is a file of the bundle with collected text.
type part struct {
	name    string
	collect func(context.Context) ([]byte, error)
}

// collected is the result of collecting a part. It can have both text and an error.
type collected struct {
	name string
	text []byte
	err  error
	took time.Duration
}

// parts returns all parts except the files of the instance.
func (s Subject) parts() []part {
	parts := []part{
		{"doctor.json", func(ctx context.Context) ([]byte, error) { return asJSON(doctor.Examine(ctx, s.Target)) }},
		{"status.json", s.status},
		{"vm/status.json", s.vmStatus},
		{"paths.json", func(context.Context) ([]byte, error) { return asJSON(s.Instance) }},
		{"files.txt", s.listing},
		{"environment.txt", s.environment},
		{"processes.txt", s.processes},
		{"threads.txt", s.threads},
		{"sockets.txt", s.sockets},
		{"host.txt", s.host},
		{"disk.txt", s.disks},
		{"kernel.txt", s.kernel},
		{"versions.txt", s.versions},
	}
	parts = append(parts, s.apiParts()...)
	return append(parts, s.engineParts()...)
}

// collectAll collects all parts in parallel.
func collectAll(ctx context.Context, s Subject) []chan collected {
	var all []chan collected
	for _, p := range s.parts() {
		made := make(chan collected, 1)
		all = append(all, made)
		go func() { made <- collect(ctx, p) }()
	}
	return all
}

// collect collects one part within partTimeout.
func collect(ctx context.Context, p part) collected {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, partTimeout)
	defer cancel()
	done := make(chan collected, 1)
	go func() {
		text, err := p.collect(ctx)
		done <- collected{name: p.name, text: text, err: err}
	}()
	var c collected
	select {
	case c = <-done:
	case <-ctx.Done():
		// On a file system that hangs the goroutine ignores its deadline. It is abandoned.
		c = collected{name: p.name, err: fmt.Errorf("not collected within %s", time.Since(began).Round(time.Second))}
	}
	c.took = time.Since(began)
	return c
}

func asJSON(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return b.Bytes(), err
}

func (s Subject) status(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	status, err := s.Status(ctx)
	if err != nil {
		return nil, err
	}
	return asJSON(status)
}

func (s Subject) vmStatus(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	report, err := vmstatus.Inspect(ctx, s.Instance.Name, s.VM)
	if err != nil {
		return nil, err
	}
	return asJSON(report)
}
