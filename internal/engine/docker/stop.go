package docker

import (
	"context"
	"errors"
	"net/http/httptrace"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

const (
	// inspectTimeout bounds one inspection before a stop.
	inspectTimeout = 30 * time.Second
	// defaultStopTimeout is the engine's for a container without a stop timeout.
	defaultStopTimeout = 10 * time.Second
	// stopMargin is how long the engine may take beyond a stop timeout to kill a
	// container. Its own limit is 12 s.
	stopMargin = 15 * time.Second
	// queuedFor is how long a stop that was sent before may take to show: an engine
	// that hung carries it out as soon as it runs again.
	queuedFor = 3 * time.Second
	// joinEvery is the pause between two inspections during a stop.
	joinEvery = 500 * time.Millisecond
)

// run is one run of a container, from its start to its end.
type run struct {
	// active is set when it has a process, and paused when that is frozen. A run that
	// waits for its restart has none, and restarting is set.
	active, paused, restarting bool
	// startedAt identifies the run.
	startedAt string
	// stopTimeout is negative for a container that is never killed.
	stopTimeout time.Duration
	// stopSignal is the number of the signal that stops it; 0 if that is not known.
	stopSignal int
}

// parseRun decodes the part of a container's inspection that a stop needs.
func parseRun(raw []byte) (run, error) {
	var wire struct {
		State struct {
			Running, Paused, Restarting bool
			StartedAt                   string
		}
		Config struct {
			StopSignal  string
			StopTimeout *int
		}
	}
	if err := decode(raw, &wire); err != nil {
		return run{}, err
	}
	r := run{
		active:     wire.State.Running && !wire.State.Restarting,
		paused:     wire.State.Paused,
		restarting: wire.State.Restarting,
		startedAt:  wire.State.StartedAt,

		stopTimeout: defaultStopTimeout, stopSignal: signalNumber(wire.Config.StopSignal),
	}
	if t := wire.Config.StopTimeout; t != nil {
		const year = 365 * 24 * 3600
		if r.stopTimeout = -1; *t >= 0 && *t <= year {
			r.stopTimeout = time.Duration(*t) * time.Second
		}
	}
	return r, nil
}

// signalNumber returns the number, on Linux, of a signal as in STOPSIGNAL; 0 for an
// unknown one.
func signalNumber(name string) int {
	if n, err := strconv.Atoi(name); err == nil {
		return n
	}
	name = strings.TrimPrefix(strings.ToUpper(name), "SIG")
	if offset, ok := strings.CutPrefix(name, "RTMIN"); ok {
		n, _ := strconv.Atoi(offset)
		return 34 + n
	}
	return map[string]int{
		"": 15, "TERM": 15, "HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "PWR": 30, "WINCH": 28,
	}[name]
}

// delivery is when a run of a container got its stop signal. It is kept during the
// wait for a stop: the engine remembers a limited number of events, which health checks
// replace within minutes.
type delivery struct {
	startedAt string
	at        time.Time
}

// StopContainer implements API. A second stop request would send the container a second
// stop signal, at which many programs end at once. The engine continues a stop whose
// client has left. So StopContainer joins a stop of any client: the engine's events
// report the stop signal.
func (d *httpAPI) StopContainer(ctx context.Context, id string) error {
	begun := time.Now()
	var signal delivery
	for {
		now, err := d.inspectRun(ctx, id)
		if err != nil {
			return err
		}
		if now.active && (signal.startedAt != now.startedAt || signal.at.IsZero()) {
			signal = delivery{now.startedAt, d.signalled(ctx, id, now)}
		}
		if !now.active || !d.stopUnderWay(id, now, signal.at, begun) {
			return d.sendStop(ctx, id, now)
		}
		select {
		case <-ctx.Done():
			return failed("wait for container "+id+" to stop", ctx.Err())
		case <-time.After(joinEvery):
		}
	}
}

func (d *httpAPI) inspectRun(ctx context.Context, id string) (run, error) {
	ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	doing := "inspect container " + id
	raw, err := d.read(ctx, doing, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
		return err
	})
	if err != nil {
		return run{}, err
	}
	now, err := parseRun(raw)
	if err != nil {
		return run{}, failed(doing, err)
	}
	return now, nil
}

// stopUnderWay reports whether the engine still carries out a stop of this run: the
// container got its stop signal, and its stop timeout has not passed since.
func (d *httpAPI) stopUnderWay(id string, r run, at, begun time.Time) bool {
	if at.IsZero() {
		sent, ok := d.stops.Load(id)
		return ok && sent == r.startedAt && time.Since(begun) < queuedFor
	}
	return r.stopTimeout < 0 || time.Since(at) < r.stopTimeout+stopMargin
}

// signalled returns when this run last got its stop signal, as far as the engine
// remembers its events; zero when it did not, or when the events cannot be read.
func (d *httpAPI) signalled(ctx context.Context, id string, r run) time.Time {
	started, ok := parseTime(r.startedAt)
	if !ok || r.stopSignal == 0 {
		return time.Time{}
	}
	ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	cli, err := d.client(ctx)
	if err != nil {
		return time.Time{}
	}
	stream := cli.Events(ctx, client.EventsListOptions{
		Since: timestamp(started), Until: timestamp(time.Now()),
		Filters: make(client.Filters).Add("type", "container").Add("container", id).Add("event", "kill"),
	})
	var last time.Time
	for {
		select {
		case message := <-stream.Messages:
			if message.Actor.ID == id && message.Actor.Attributes["signal"] == strconv.Itoa(r.stopSignal) {
				last = eventTime(message)
			}
		case err := <-stream.Err: // io.EOF at the end of the list
			_ = err
			return last
		}
	}
}

// sendStop stops a container, and returns when it has stopped.
func (d *httpAPI) sendStop(ctx context.Context, id string, r run) error {
	return d.endRun(ctx, id, r, 0, func(ctx context.Context, cli *client.Client) error {
		_, err := cli.ContainerStop(ctx, id, client.ContainerStopOptions{})
		return err
	})
}

// endRun makes a call that stops a run, and returns when it is done. It waits until
// after the engine kills the container, and then for as long as the rest of the call may
// take.
func (d *httpAPI) endRun(ctx context.Context, id string, r run, rest time.Duration, call func(context.Context, *client.Client) error) error {
	if r.stopTimeout >= 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.stopTimeout+2*stopMargin+rest)
		defer cancel()
	}
	ctx = httptrace.WithClientTrace(withoutLimit(ctx), &httptrace.ClientTrace{
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil && r.active {
				d.stops.Store(id, r.startedAt)
			}
		},
	})
	err := d.command(ctx, func(cli *client.Client) error { return call(ctx, cli) })
	if err == nil || !IsUnreachable(err) && !errors.Is(err, context.Canceled) {
		d.stops.Delete(id) // the engine has answered
	}
	return err
}
