package engine

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// slowEngine has many containers and takes its time for each; for one of them, if
// it is named, all the time that it is given.
type slowEngine struct {
	quietEngine
	containers int
	hangs      string
	lists      *atomic.Int32
}

func (e slowEngine) ListContainers(context.Context) ([]string, error) {
	e.lists.Add(1)
	var ids []string
	for i := range e.containers {
		ids = append(ids, fmt.Sprint("c", i))
	}
	return ids, nil
}

func (e slowEngine) Container(ctx context.Context, id string) (*containersv1.Container, error) {
	patience := 20 * time.Second
	if id == e.hangs {
		patience = time.Hour
	}
	select {
	case <-time.After(patience):
		return e.quietEngine.Container(ctx, id)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// syncWith connects to a slow engine, and returns what the owner was told last
// after a time, and how often the engine was listed.
func syncWith(t *testing.T, e slowEngine, after time.Duration) (told messages.EngineChanged, lists int32) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e.quietEngine, e.lists = w.engine, &atomic.Int32{}
		w.dial = func(string) (docker.API, error) { return e, nil }
		w.send(connectTo(1))
		time.Sleep(after)
		told, lists = w.last(t), e.lists.Load()
	})
	return told, lists
}

// A sync that was given up because it takes long would begin anew, for ever.
func TestASyncMayTakeLongWhileItGoesOn(t *testing.T) {
	told, lists := syncWith(t, slowEngine{containers: 800}, 33*time.Minute+25*time.Second)
	if told.State != messages.EngineReady || lists != 1 {
		t.Errorf("after %d lists the owner was told %+v, want Ready after one", lists, told)
	}
}

func TestAnObjectThatHangsHoldsUpNoSync(t *testing.T) {
	told, lists := syncWith(t, slowEngine{containers: 8, hangs: "c3"}, 35*time.Second)
	if told.State != messages.EngineReady || lists != 1 || !strings.Contains(told.Message, "1 objects could not be read") {
		t.Errorf("after %d lists the owner was told %+v, want Ready but for one object", lists, told)
	}
}
