package bundle

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/doctor"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/vmlook"
)

// part is a file of the bundle that is put together from answers.
type part struct {
	name    string
	collect func(context.Context) ([]byte, error)
}

// collected is what became of a part. Text may be there in spite of an error.
type collected struct {
	name string
	text []byte
	err  error
	took time.Duration
}

// parts are all parts but the files of the instance.
func (s Subject) parts() []part {
	parts := []part{
		{"doctor.json", func(ctx context.Context) ([]byte, error) { return asJSON(doctor.Examine(ctx, s.Patient)) }},
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

// collectAll collects all parts at the same time.
func collectAll(ctx context.Context, s Subject) []chan collected {
	var all []chan collected
	for _, p := range s.parts() {
		made := make(chan collected, 1)
		all = append(all, made)
		go func() { made <- collect(ctx, p) }()
	}
	return all
}

// collect collects one part, or gives up on it.
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
		// Left behind: on a file system that hangs no deadline helps.
		c = collected{name: p.name, err: fmt.Errorf("it was not there within %s", time.Since(began).Round(time.Second))}
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
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	status, err := s.Status(ctx)
	if err != nil {
		return nil, err
	}
	return asJSON(status)
}

func (s Subject) vmStatus(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	report, err := vmlook.Look(ctx, s.Instance.Name, s.VM)
	if err != nil {
		return nil, err
	}
	return asJSON(report)
}
