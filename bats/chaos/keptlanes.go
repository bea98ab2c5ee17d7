package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

// shape is what a lane has.
type shape string

const (
	// boxShape is a container that can be started and stopped.
	boxShape shape = "box"
	// brokenShape is a container whose program is missing: the engine refuses to start it.
	brokenShape shape = "broken"
	// volumeShape and imageShape are deleted, and created again. The engine refuses it
	// while a container uses them.
	volumeShape shape = "volume"
	imageShape  shape = "image"
)

// Names of the judge's own objects.
const (
	keptLabel  = "chaos.kept"
	keptPrefix = "Kept_"
	keptRepo   = "kept"
	keptImage  = keptRepo + ":base"
)

// shapes returns the shapes of the lanes.
func shapes() []shape {
	return []shape{boxShape, boxShape, boxShape, boxShape, brokenShape, volumeShape, volumeShape, volumeShape, volumeShape, imageShape}
}

// isKeptName reports whether a volume, or a tag, is the judge's own.
func isKeptName(name string) bool {
	return strings.HasPrefix(name, keptPrefix) || strings.HasPrefix(name, keptRepo+":")
}

func newKeeper(c *chaos) *keeper {
	k := &keeper{engine: c.dockerd.API, daemon: c.daemon, ledger: c.ledger, events: c.events, pool: c.pool, content: c.content}
	for _, s := range shapes() {
		kind := containersv1.KindContainer
		switch s {
		case volumeShape:
			kind = containersv1.KindVolume
		case imageShape:
			kind = containersv1.KindImage
		case boxShape, brokenShape:
		}
		k.lanes = append(k.lanes, &keptLane{keeper: k, shape: s, kind: kind})
	}
	return k
}

// step makes one change.
func (l *keptLane) step(ctx context.Context) {
	if l.last != nil && !l.await(ctx) {
		return
	}
	if l.last != nil && l.last.isOver() {
		l.forget(ctx)
	}
	if l.object == "" && !l.make(context.WithoutCancel(ctx)) {
		return
	}
	if l.uid == "" && !l.find(ctx) {
		return
	}
	switch l.shape {
	case boxShape:
		l.stepBox(ctx)
	case brokenShape:
		l.stepBroken(ctx)
	case volumeShape, imageShape:
		l.stepObject(ctx)
	}
}

// isOver reports whether the object, or its mirror, is not the same any more.
func (k *kept) isOver() bool {
	return k.ending == mirrorLost || k.ending == recordLost || k.verb == keptRemove && k.ending == reportedDone
}

// forget judges the last change of an object whose mirror is gone. The next one has another
// object, unless the engine has kept it.
func (l *keptLane) forget(ctx context.Context) {
	is, ok := l.inspect(ctx)
	if !ok {
		return
	}
	l.close(ctx, l.last.reported)
	l.uid, l.generation = "", 0
	if !is.Exists {
		l.object = ""
	}
}

// find waits for the mirror of a new object. It returns false if ctx has ended, or if the
// object is gone.
func (l *keptLane) find(ctx context.Context) bool {
	for {
		m, err := l.mirror(ctx)
		if err == nil && m != nil && m.GetDeletionTimestamp() == nil {
			l.uid, l.generation = m.GetUID(), m.GetGeneration()
			return true
		}
		if is, ok := l.inspect(ctx); ok && !is.Exists {
			l.report(fmt.Sprintf("the judge's %s %s was removed without a request", l.kind, l.object))
			l.object = ""
			return false
		}
		if rddtest.Sleep(ctx, lastPoll) != nil {
			return false
		}
	}
}

func (l *keptLane) stepBox(ctx context.Context) {
	isRunning, wants, ok := l.state(ctx)
	if !ok {
		return
	}
	verb := keptRun
	if wants == containersv1.StateRunning {
		verb = keptHalt
	}
	isStuck := l.last != nil && l.last.ending == reportedRefused
	switch n := l.random.IntN(20); {
	case n < 2, isStuck:
		verb = keptRemove
	case n < 5:
		verb = opposite(isRunning)
	case n < 6 && isRunning:
		verb = outsideRestart
	}
	l.change(ctx, verb, false)
}

// opposite returns the change without the daemon that starts or stops a container.
func opposite(isRunning bool) keptVerb {
	if isRunning {
		return outsideStop
	}
	return outsideStart
}

// state returns whether the container runs, and its desired state. It returns false if one
// of them is not known, so that no desired state is requested that the container has: this
// would be no new generation, and without effect.
func (l *keptLane) state(ctx context.Context) (isRunning bool, wants containersv1.DesiredState, ok bool) {
	m, err := l.mirror(ctx)
	if err != nil {
		return false, "", false
	}
	if c, exists := m.(*containersv1.Container); exists {
		wants = c.Spec.State
	}
	is, ok := l.inspect(ctx)
	return is.State.Status == running, wants, ok
}

// stepBroken requests a start, and withdraws it when it was refused.
func (l *keptLane) stepBroken(ctx context.Context) {
	switch _, wants, ok := l.state(ctx); {
	case !ok:
		return
	case wants != containersv1.StateRunning:
		l.change(ctx, keptRun, true)
		return
	}
	l.change(ctx, []keptVerb{keptHalt, keptUnknown, keptRemove}[l.random.IntN(3)], false)
}

// stepObject deletes a volume or an image. If a container uses it, the engine refuses that
// until the container is removed.
func (l *keptLane) stepObject(ctx context.Context) {
	if l.last != nil {
		l.release(context.WithoutCancel(ctx))
		l.awaitRemoval(ctx)
		return
	}
	l.holdSometimes(context.WithoutCancel(ctx))
	l.change(ctx, keptRemove, l.holder != "")
}

// awaitRemoval waits until the mirror is gone, or ctx ends.
func (l *keptLane) awaitRemoval(ctx context.Context) {
	for l.look(ctx); !l.last.isOver(); l.look(ctx) {
		if rddtest.Sleep(ctx, firstPoll) != nil {
			return
		}
	}
}

// rest withdraws what the engine refuses, so that the daemon has nothing to retry.
func (l *keptLane) rest(ctx context.Context) {
	switch {
	case l.last == nil || l.last.ending != reportedRefused:
	case l.last.verb == keptRemove:
		l.release(ctx)
		l.awaitRemoval(ctx)
	case l.shape == boxShape:
		l.change(ctx, keptRemove, false)
	default:
		l.change(ctx, keptUnknown, false)
	}
}

// make creates the object without the daemon. It returns false if the engine did not.
func (l *keptLane) make(ctx context.Context) bool {
	l.pool.pruning.RLock()
	defer l.pool.pruning.RUnlock()
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	name := fmt.Sprintf("%s%d", keptPrefix, l.pool.next())
	var err error
	switch l.shape {
	case volumeShape:
		l.object, l.resource = name, containersv1.VolumeResourceName(name)
		err = l.post(ctx, "/volumes/create", map[string]any{"Name": name, "Labels": keptLabels(name)}, nil)
	case imageShape:
		tag := strings.TrimPrefix(name, keptPrefix)
		l.object = keptRepo + ":" + tag
		if err = l.engine.ImportImage(ctx, keptRepo, tag, l.content); err == nil {
			var id string
			id, err = l.engine.ImageID(ctx, l.object)
			l.resource = containersv1.ImageResourceName(id, l.object)
		}
	case boxShape:
		l.object, err = l.container(ctx, name, map[string]any{"Image": keptImage})
		l.resource = containersv1.ContainerResourceName(l.object)
	case brokenShape:
		l.object, err = l.container(ctx, name, map[string]any{"Image": keptImage, "Cmd": []string{"/no/such/program"}})
		l.resource = containersv1.ContainerResourceName(l.object)
	}
	if err != nil {
		l.object = ""
	}
	return err == nil
}

func keptLabels(name string) map[string]string {
	return map[string]string{keptLabel: "judge", "name": name}
}

// container creates a container of the judge.
func (k *keeper) container(ctx context.Context, name string, config map[string]any) (string, error) {
	config["Labels"], config["StopSignal"] = keptLabels(name), "SIGKILL"
	host, _ := config["HostConfig"].(map[string]any)
	if host == nil {
		host = map[string]any{}
	}
	host["NetworkMode"] = "none"
	config["HostConfig"] = host
	var answer struct{ ID string }
	if err := k.post(ctx, "/containers/create?name="+name, config, &answer); err != nil {
		return "", err
	}
	r := &request{verb: engineChange, object: objectOf(containersv1.KindContainer, answer.ID), what: createdByWorker}
	k.ledger.begin(r)
	k.ledger.finish(r, true)
	k.ledger.keep(answer.ID)
	return answer.ID, nil
}

func (k *keeper) post(ctx context.Context, path string, body map[string]any, out any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode a request for the engine: %w", err)
	}
	return k.engine.Call(ctx, http.MethodPost, path, bytes.NewReader(text), out)
}

// holdSometimes holds one of three objects. It is held already after a delete that the daemon
// did not store.
func (l *keptLane) holdSometimes(ctx context.Context) {
	if l.holder == "" && l.random.IntN(3) == 0 {
		l.hold(ctx)
	}
}

// hold creates a container that uses the object.
func (l *keptLane) hold(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	config := map[string]any{"Image": l.object}
	if l.shape == volumeShape {
		config = map[string]any{"Image": keptImage, "HostConfig": map[string]any{"Binds": []string{l.object + ":/kept"}}}
	}
	l.holder = fmt.Sprintf("%sHolder_%d", keptPrefix, l.pool.next())
	for ctx.Err() == nil { // again after an engine that was down
		_, err := l.container(ctx, l.holder, config)
		var answer *dockerd.AnswerError
		switch {
		case err == nil || errors.As(err, &answer) && answer.Status == http.StatusConflict:
			return
		case answer != nil:
			l.ledger.step("the judge's " + string(l.kind) + " " + l.object + " is not held: " + err.Error())
			l.holder = ""
			return
		}
		_ = rddtest.Sleep(ctx, lastPoll)
	}
}

// release removes that container.
func (l *keptLane) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	for l.holder != "" {
		err := l.engine.RemoveContainer(ctx, l.holder)
		var answer *dockerd.AnswerError
		if err == nil || errors.As(err, &answer) && answer.Status == http.StatusNotFound {
			l.holder = ""
		} else if rddtest.Sleep(ctx, lastPoll) != nil {
			return
		}
	}
}

// tidy removes containers whose creation was not answered, and returns the IDs of the
// judge's own ones.
func (k *keeper) tidy(ctx context.Context) ([]string, error) {
	var all []struct {
		ID    string `json:"Id"`
		Names []string
	}
	path := "/containers/json?all=1&filters=" + url.QueryEscape(`{"label":["`+keptLabel+`"]}`)
	if err := k.engine.Call(ctx, http.MethodGet, path, nil, &all); err != nil {
		return nil, err
	}
	var ids []string
	for _, one := range all {
		isUsed := slices.ContainsFunc(k.lanes, func(l *keptLane) bool {
			return l.object == one.ID || l.holder != "" && slices.Contains(one.Names, "/"+l.holder)
		})
		if !isUsed && !slices.Contains(one.Names, "/"+speakerName) {
			if err := k.engine.RemoveContainer(ctx, one.ID); err != nil {
				return nil, err
			}
		}
		ids = append(ids, one.ID)
	}
	return ids, nil
}
