package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	mobyevents "github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"
)

const (
	// eventBuffer is how many events wait for a slow reader here, beside what
	// the socket and the engine hold.
	eventBuffer = 1024
	// subscribeTimeout is how long the engine may take to accept a subscription.
	subscribeTimeout = 15 * time.Second
)

// errSilent is the error of a subscription that was never answered.
var errSilent = errors.New("the engine did not answer the subscription to its events in time")

// execInterval is the interval at which the ends of execs are read while they are
// frequent. Health probes are execs, and the failure of one is not urgent.
const execInterval = time.Second

// Events implements API. The ends of execs have a stream of their own: a hundred
// containers can have a probe each second, and those that succeed change nothing.
func (d *httpAPI) Events(ctx context.Context, since time.Time) (<-chan Event, <-chan error) {
	events := make(chan Event, eventBuffer)
	ended := make(chan error, 1)
	changes := make(client.Filters).Add("type", subscribedTypes()...).Add("event", subscribedActions()...)
	execs := make(client.Filters).Add("type", string(mobyevents.ContainerEventType)).Add("event", ActionExecEnd)
	streams, ctx := errgroup.WithContext(ctx)
	streams.Go(func() error { return d.stream(ctx, since, changes, events) })
	streams.Go(func() error { return d.stream(paced(forBlocking(ctx), execInterval), since, execs, events) })
	go func() { ended <- streams.Wait() }()
	return events, ended
}

// stream forwards events until the stream ends, and returns why it did.
func (d *httpAPI) stream(ctx context.Context, since time.Time, filters client.Filters, to chan<- Event) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(d.open, func() { cancel(errClosed) })()
	// The stream has no deadline, but its beginning has.
	patience := time.AfterFunc(subscribeTimeout, func() { cancel(errSilent) })
	defer patience.Stop()

	cli, err := d.client(ctx)
	if err != nil {
		return streamEnded(ctx, err)
	}
	stream := cli.Events(ctx, client.EventsListOptions{Since: timestamp(since), Filters: filters})
	patience.Stop()
	for {
		select {
		case message := <-stream.Messages:
			event, ok := MapEvent(message)
			if !ok {
				continue
			}
			select {
			case to <- event:
			case <-ctx.Done():
				return streamEnded(ctx, ctx.Err())
			}
		case err := <-stream.Err:
			return streamEnded(ctx, err)
		}
	}
}

// streamEnded prefers the reason for which the context was cancelled.
func streamEnded(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err == nil {
		err = errors.New("the engine closed the stream")
	}
	return failed("stream the engine's events", err)
}

// timestamp is a time as the Docker Engine API takes it: seconds and
// nanoseconds since 1970. The zero time is no time.
func timestamp(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d.%09d", at.Unix(), at.Nanosecond())
}
