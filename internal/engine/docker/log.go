package docker

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/moby/moby/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// logInterval is the interval at which a log that grows fast is read.
const logInterval = time.Millisecond

// Log implements engine.Streamer.
func (d *httpAPI) Log(ctx context.Context, id string, opts engine.LogOptions) (engine.Output, error) {
	s := d.newStream(ctx)
	out, err := d.openLog(s, id, opts)
	if err != nil {
		err = s.failed(err)
		_ = s.Close()
		return nil, err
	}
	return out, nil
}

func (d *httpAPI) openLog(s stream, id string, opts engine.LogOptions) (*output, error) {
	cli, err := d.client(s.ctx)
	if err != nil {
		return nil, err
	}
	found, err := d.inspectStreamed(s.ctx, cli, id)
	if err != nil {
		return nil, err
	}
	options := client.ContainerLogsOptions{
		ShowStdout: opts.Stdout, ShowStderr: opts.Stderr, Timestamps: opts.Timestamps, Follow: opts.Follow,
	}
	if opts.Tail != nil {
		options.Tail = strconv.FormatInt(*opts.Tail, 10)
	}
	if !opts.Since.IsZero() {
		options.Since = fmt.Sprintf("%d.%09d", opts.Since.Unix(), opts.Since.Nanosecond())
	}
	ctx := forStream(s.ctx)
	if !opts.Follow {
		ctx = forBlocking(s.ctx) // a follower would block a thread for as long as nothing arrives
	}
	body, err := cli.ContainerLogs(paced(ctx, logInterval), id, options)
	if err != nil {
		return nil, err
	}
	out := &output{stream: s, body: body, hasTerminal: found.hasTerminal}
	if opts.Follow {
		out.check = func() error { return d.answers(s.ctx) }
	}
	return out, nil
}

// answers returns an error unless the engine answers.
func (d *httpAPI) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	return d.Ping(ctx)
}
