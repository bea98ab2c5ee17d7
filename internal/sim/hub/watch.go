package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strconv"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubewatch "k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// shortestWatch is the age from which a watch can end. A client of a younger one reports an
// error.
const shortestWatch = 2 * time.Second

// stream is the body of the answer to a watch. Only its reader uses it.
type stream struct {
	hub     *Hub
	ctx     context.Context //nolint:containedctx // of the request that the body belongs to
	process *fate.Process
	kind    containersv1.Kind
	// revision of the last change that was delivered.
	revision int64
	opened   time.Time
	buffer   bytes.Buffer
	// lost is closed when the connection is lost.
	lost   <-chan struct{}
	closed chan struct{}
	once   sync.Once
}

// newStream begins a watch. It delivers the present objects first if the client asks for that.
func (h *Hub) newStream(r request, kind containersv1.Kind) (any, error) {
	s := &stream{hub: h, kind: kind, opened: time.Now(), closed: make(chan struct{})}
	h.with(func() { s.lost = h.lost })
	err := h.Serve(watch, cluster.Key{Kind: kind}, r.begun, func(tx cluster.Tx) error {
		objects, revision := tx.List(kind)
		if r.query.Get("sendInitialEvents") == "true" {
			s.revision = revision
			for _, obj := range objects {
				s.write(kubewatch.Added, obj)
			}
			s.writeBookmark()
			return nil
		}
		since, err := strconv.ParseInt(r.query.Get("resourceVersion"), 10, 64)
		if err != nil || since < revision && h.fates.Draw("hub expire "+string(kind)).Chance(0.3) {
			return apierrors.NewResourceExpired("simulated: the resource version is too old")
		}
		s.revision = since
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *stream) write(event kubewatch.EventType, obj client.Object) {
	s.buffer.Write(encode(struct {
		Type   kubewatch.EventType `json:"type"`
		Object json.RawMessage     `json:"object"`
	}{event, encode(typed(obj))}))
}

// writeBookmark writes the end of the present objects.
func (s *stream) writeBookmark() {
	var obj client.Object = containersv1.NewMirror(s.kind)
	if containersv1.NewMirror(s.kind) == nil {
		obj = containersv1.NewRequest(containersv1.RequestKind(s.kind))
	}
	obj.SetResourceVersion(strconv.FormatInt(s.revision, 10))
	obj.SetAnnotations(map[string]string{metav1.InitialEventsAnnotationKey: "true"})
	s.write(kubewatch.Bookmark, obj)
}

// Read implements io.Reader.
func (s *stream) Read(p []byte) (int, error) {
	ctx, cancel := s.process.Bind(s.ctx)
	defer cancel()
	for s.buffer.Len() == 0 {
		if err := s.fill(ctx); err != nil {
			return 0, err
		}
	}
	return s.buffer.Read(p)
}

// fill waits for the next event, and writes it into the buffer.
func (s *stream) fill(ctx context.Context) error {
	next, changed, breaks := s.hub.Next(s.kind, s.revision)
	if next == nil {
		select {
		case <-changed:
			return nil
		case <-breaks:
			if time.Since(s.opened) < shortestWatch {
				return nil
			}
			return io.EOF
		case <-s.lost:
			return io.ErrUnexpectedEOF
		case <-s.closed:
			return io.ErrClosedPipe
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := s.travel(ctx); err != nil {
		return err
	}
	s.revision = next.Revision
	if next.IsRemoved {
		s.write(kubewatch.Deleted, next.Object)
	} else {
		s.write(kubewatch.Modified, next.Object)
	}
	return nil
}

// travel is the way of an event to the client.
func (s *stream) travel(ctx context.Context) error {
	dice, rates := s.hub.fates.Draw("hub change "+string(s.kind)), s.hub.rates()
	lag := dice.Between(50*time.Microsecond, 5*time.Millisecond)
	if dice.Chance(rates.Lag) {
		lag = dice.Between(100*time.Millisecond, 8*time.Second)
	}
	if dice.Chance(rates.Break/4) && time.Since(s.opened) > shortestWatch {
		_ = s.hub.fates.Wait(ctx, lag)
		return io.ErrUnexpectedEOF
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.lost:
		case <-s.closed:
		case <-ctx.Done():
		}
		cancel()
	}()
	if err := s.hub.fates.Wait(ctx, lag); err != nil {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// Close implements io.Closer.
func (s *stream) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}
