package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/task"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/async"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

const (
	readTimeout = 30 * time.Second
	// syncPatience is how long a full sync may go on without reading anything.
	// However long it takes in all, one that was given up would begin anew.
	syncPatience = 5 * time.Minute
)

type sessionConfig struct {
	engine   docker.API
	logger   *slog.Logger
	report   func(state string)
	settings Settings
}

// session is one live connection to the engine. It fails when its event stream
// ends or when the engine does not answer, and its parent's strategy restarts it.
type session struct {
	sessionConfig
	tasks *task.Runner
	// reads are the objects that are being read because of an event, or wait
	// for their next try.
	reads  map[target]*read
	images imageIndex
	// opened is set once events are subscribed to. Only then a sync may begin: the
	// order to begin it may have been meant for the session before a restart.
	opened bool
	// syncing is set while a full sync runs.
	syncing bool
	// syncs counts the full syncs of this connection.
	syncs int
	// imageList and volumeList are the lists beside a full sync.
	imageList  imageListing
	volumeList listing
	// rechecks are the containers that are read again without an event.
	rechecks map[target]*recheck
	// gone are the targets that were told to be gone since the last full sync,
	// and when they were read: a slow reading of before must not bring them back.
	gone map[target]time.Time
	// missed counts the looks that the engine did not answer in a row.
	missed int
}

// target is an object of the engine, by the engine's own ID.
type target struct {
	kind containersv1.Kind
	id   string
}

// read is the reading of one target; there is never more than one at a time.
type read struct {
	// again is set when something happened to the target meanwhile.
	again    bool
	attempts int
	// retry is when it is tried again after a failure.
	retry *time.Timer
}

// Messages of the session to itself.
type (
	streamOpened struct{ info docker.Info }
	streamEnded  struct{ err error }
	syncDue      struct{}
	pingDue      struct{}
	pinged       struct{ err error }
	readAgain    struct {
		target target
		// attempts that had failed: whatever failed since has its own next try.
		attempts int
	}
	readDone struct {
		target  target
		objects []containersv1.Mirror
		asOf    time.Time
		err     error
		// listed is set when this follows from a list, without an inspection.
		listed bool
		// shown is set when the image was in a list at asOf.
		shown bool
	}
)

func newSession(cfg sessionConfig) actor.Actor {
	return &session{
		sessionConfig: cfg, reads: map[target]*read{}, images: newImageIndex(), gone: map[target]time.Time{},
		rechecks: map[target]*recheck{},
	}
}

// Receive implements actor.Actor.
func (s *session) Receive(c actor.Context) {
	switch msg := c.Message().(type) {
	case *actor.Started:
		s.tasks = task.NewRunner(c)
		s.report("connecting")
		s.tasks.Loop(s.stream)
	case *actor.Stopping, *actor.Restarting:
		s.tasks.Stop()
	case *actor.Stopped:
	case messages.BeginSync:
		if s.opened {
			s.startSync(msg.Images)
		}
	case task.Done:
		if value, ok := s.tasks.Take(msg); ok {
			s.receiveOwn(c, value)
		}
	default:
		s.logger.Error("engine session got a message it does not know", "message", msg)
	}
}

func (s *session) receiveOwn(c actor.Context, value any) {
	switch v := value.(type) {
	case streamOpened:
		s.opened = true
		c.Request(c.Parent(), messages.SessionConnected{Engine: appv1.EngineStatus{
			Version: v.info.Version, APIVersion: v.info.APIVersion,
		}})
		s.tasks.After(s.settings.Ping, pingDue{})
	case streamEnded:
		panic(v.err)
	case docker.Event:
		s.happened(v)
	case recheckDue:
		s.recheckDue(v.target)
	case readAgain:
		if r := s.reads[v.target]; r != nil && r.attempts == v.attempts {
			s.startRead(v.target)
		}
	case readDone:
		s.readDone(c, v)
	case imageListDue:
		s.imageList.due = nil
		s.listImages()
	case imagesListed:
		s.imagesListed(c, v)
	case volumeListDue:
		s.volumeList.due = nil
		s.listVolumes()
	case volumesListed:
		s.volumesListed(c, v)
	case syncDue:
		s.startSync(nil)
	case pingDue:
		s.ping()
	case pinged:
		s.pinged(v.err)
	default:
		s.receiveSync(c, value)
	}
}

// stream connects, subscribes and hands on every event until the stream ends.
func (s *session) stream(ctx context.Context, send func(any)) any {
	connecting, cancel := context.WithTimeout(ctx, s.settings.Answer)
	defer cancel()
	info, err := s.engine.Connect(connecting)
	if err != nil {
		return streamEnded{err: fmt.Errorf("connect to the engine: %w", err)}
	}
	since := info.SystemTime
	if since.IsZero() {
		since = time.Now()
	}
	// The engine replays what happens from now on, so nothing falls between this
	// and the lists that the full sync begins with.
	events, ended := s.engine.Events(ctx, since)
	send(streamOpened{info: info})
	for {
		select {
		case ev := <-events:
			send(ev)
		case err := <-ended:
			if err == nil {
				err = errors.New("closed by the engine")
			}
			return streamEnded{err: fmt.Errorf("event stream: %w", err)}
		}
	}
}

func (s *session) ping() {
	s.tasks.Go(s.settings.Answer, func(ctx context.Context) any {
		return pinged{err: s.engine.Ping(ctx)}
	})
}

// pinged fails the session when the engine missed two looks in a row; one may
// be a busy moment.
func (s *session) pinged(err error) {
	if err == nil {
		s.missed = 0
		s.tasks.After(s.settings.Ping, pingDue{})
		return
	}
	s.missed++
	if s.missed > 1 {
		panic(fmt.Errorf("the engine does not answer: %w", err))
	}
	s.ping()
}

// refresh reads a target because something happened to it.
func (s *session) refresh(t target) {
	if r := s.reads[t]; r != nil {
		r.again = true
		return
	}
	s.reads[t] = &read{}
	s.startRead(t)
}

func (s *session) startRead(t target) {
	s.rechecks[t].began()
	s.tasks.Go(readTimeout, func(ctx context.Context) any {
		done := readDone{target: t, asOf: time.Now()}
		done.objects, done.err = s.inspect(ctx, t)
		return done
	})
}

// inspect reads one target. A panic costs that target and nothing else.
func (s *session) inspect(ctx context.Context, t target) (objects []containersv1.Mirror, err error) {
	err = async.Safely(func() (err error) {
		objects, err = s.read(ctx, t)
		return err
	})
	return objects, err
}

// read reads one target. An image has one object for each of its tags.
func (s *session) read(ctx context.Context, t target) ([]containersv1.Mirror, error) {
	switch t.kind {
	case containersv1.KindContainer:
		c, err := s.engine.Container(ctx, t.id)
		return []containersv1.Mirror{c}, err
	case containersv1.KindVolume:
		v, err := s.engine.Volume(ctx, t.id)
		return []containersv1.Mirror{v}, err
	case containersv1.KindImage:
		images, err := s.engine.Images(ctx, t.id)
		return asMirrors(images), err
	default:
		return nil, fmt.Errorf("engine told of an object of unknown kind %q", t.kind)
	}
}

func asMirrors(images []*containersv1.Image) []containersv1.Mirror {
	out := make([]containersv1.Mirror, len(images))
	for i, img := range images {
		out[i] = img
	}
	return out
}

// readDone tells what was read. A reading that failed is tried again, so that
// one object that cannot be read costs that object and nothing else.
func (s *session) readDone(c actor.Context, v readDone) {
	r := s.reads[v.target]
	if r == nil {
		r = &read{}
		s.reads[v.target] = r
	}
	if v.err != nil && !docker.IsNotFound(v.err) {
		// r.again stays: a full sync's reading says nothing of an event's, which
		// may have begun before the next event.
		r.attempts++
		backoff := async.Backoff{Min: 200 * time.Millisecond, Max: time.Minute}
		s.logger.Warn("object could not be read", "kind", v.target.kind, "id", v.target.id, "err", v.err)
		if r.retry != nil { // of a reading in a full sync
			r.retry.Stop()
		}
		r.retry = s.tasks.After(backoff.Delay(r.attempts), readAgain{target: v.target, attempts: r.attempts})
		return
	}
	s.tell(c, v)
	s.settle(v)
	if r.again {
		r.again, r.attempts = false, 0
		s.startRead(v.target)
		return
	}
	delete(s.reads, v.target)
}

func (s *session) tell(c actor.Context, v readDone) {
	if v.asOf.Before(s.gone[v.target]) {
		return
	}
	if v.err != nil {
		s.gone[v.target] = v.asOf
	}
	switch {
	case v.target.kind == containersv1.KindImage:
		s.tellImage(c, v)
	case v.err == nil:
		c.Send(c.Parent(), messages.ObjectSeen{Object: v.objects[0], AsOf: v.asOf})
	default:
		name := containersv1.ContainerResourceName(v.target.id)
		if v.target.kind == containersv1.KindVolume {
			name = containersv1.VolumeResourceName(v.target.id)
		}
		c.Send(c.Parent(), messages.ObjectGone{Kind: v.target.kind, Name: name, AsOf: v.asOf})
	}
}
