package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest/dockerd"
)

const (
	// followers and execs are the numbers of clients that stream at the same time.
	followers, execs = 2, 2
	// streamTime is how long a stream may take to continue, or to end, after the faults.
	streamTime = 20 * time.Second

	speakerImage = keptRepo + ":speaker"
	speakerName  = keptPrefix + "Speaker"
	// speech writes numbered lines; the first word is another one after each start.
	speech = `read run </proc/sys/kernel/random/uuid; i=0; while :; do i=$((i+1)); echo $run $i; sleep 0.05; done`
)

// streams are clients that follow a log and run programs in one container, the speaker,
// while the faults happen.
type streams struct {
	engine *dockerd.API
	daemon *daemon
	ledger *ledger

	mu      sync.Mutex
	speaker string
	// open are the streams that have not ended.
	open  []*stream
	wrong []string
	// Numbers of streams, of those that ended early, of those that were never open, and of
	// lines.
	logs, programs, broken, refused, lines int
}

// stream is one that has not ended.
type stream struct {
	what   string
	began  time.Time
	cancel context.CancelFunc
	// received is when the last line came; only a log has lines all the time.
	received time.Time
	isLog    bool
	// isStopped is set when the judge has ended it.
	isStopped bool
}

// prepare starts the speaker, and creates it if it is missing. A killed engine can be unable
// to start a container ever again: then another one takes its place.
func (s *streams) prepare(ctx context.Context) error {
	var is struct {
		ID    string `json:"Id"`
		State struct{ Running bool }
	}
	err := s.engine.Call(ctx, http.MethodGet, "/containers/"+speakerName+"/json", nil, &is)
	if err == nil && !is.State.Running {
		err = s.engine.Do(ctx, "start", is.ID)
		if isAnswer(err) {
			_ = s.engine.RemoveContainer(ctx, is.ID) // else it still exists, and is retried
		}
	}
	if isAnswer(err) {
		k := &keeper{engine: s.engine, ledger: s.ledger}
		is.ID, err = k.container(ctx, speakerName, map[string]any{"Image": speakerImage, "Cmd": []string{"/bin/sh", "-c", speech}})
		if err == nil {
			err = s.engine.Do(ctx, "start", is.ID)
		}
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.speaker = is.ID
	return nil
}

// isAnswer reports whether the engine has refused a request.
func isAnswer(err error) bool {
	var answer *dockerd.AnswerError
	return errors.As(err, &answer)
}

// work opens one stream after the other until ctx ends. It ends with its last stream.
func (s *streams) work(ctx context.Context, random *rand.Rand, open func(context.Context, *rand.Rand) error) {
	for ctx.Err() == nil {
		if open(context.WithoutCancel(ctx), random) != nil {
			engine, cancel := context.WithTimeout(ctx, operationTimeout)
			_ = s.prepare(engine) // it is retried
			cancel()
		}
		_ = rddtest.Sleep(ctx, between(random, 50*time.Millisecond, 250*time.Millisecond))
	}
}

// begin records a stream. The caller must call end.
func (s *streams) begin(ctx context.Context, what string, isLog bool) (context.Context, *stream) {
	ctx, cancel := context.WithCancel(ctx)
	one := &stream{what: what, began: time.Now(), cancel: cancel, isLog: isLog}
	s.ledger.step("open " + what)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = append(s.open, one)
	return ctx, one
}

// end records the end of a stream, and what was wrong with it. hasBegun is false if it was
// never open.
func (s *streams) end(one *stream, hasBegun bool, wrong string, err error) {
	one.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(other *stream) bool { return other == one })
	switch {
	case !hasBegun:
		s.refused++
	case one.isLog:
		s.logs++
	default:
		s.programs++
	}
	s.broken += count(hasBegun && err != nil && !one.isStopped)
	if wrong != "" {
		s.wrong = append(s.wrong, fmt.Sprintf("%s, opened at %s: %s", one.what, clock(one.began), wrong))
	}
	s.ledger.step(fmt.Sprintf("end of %s, opened at %s: %v", one.what, clock(one.began), err))
}

// settle waits, after the faults, until each stream has continued or ended, and ends them.
// It returns what is wrong since the last call.
func (s *streams) settle(ctx context.Context) []string {
	over := time.Now()
	for time.Since(over) < streamTime && len(s.stuck(over)) > 0 {
		if rddtest.Sleep(ctx, checkInterval) != nil {
			break
		}
	}
	stuck := s.stuck(over)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.open {
		one.isStopped = true
		one.cancel()
	}
	wrong := append(s.wrong, stuck...)
	s.wrong = nil
	return wrong
}

// stuck describes the streams that have neither ended nor continued since a time.
func (s *streams) stuck(since time.Time) (stuck []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.open {
		if !one.isLog || one.received.Before(since) {
			stuck = append(stuck, fmt.Sprintf("%s, opened at %s, hangs: the last line came at %s", one.what, clock(one.began), clock(one.received)))
		}
	}
	return stuck
}

// config returns the configuration of a client for the daemon that runs, and the URL of a
// subresource of the speaker.
func (s *streams) config(subresource string) (*rest.Config, string, error) {
	config, err := s.daemon.RESTConfig()
	if err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	group := containersv1.GroupVersion
	return config, fmt.Sprintf("%s/apis/%s/%s/namespaces/%s/containers/%s/%s", config.Host, group.Group, group.Version, appv1.DefaultNamespace, s.speaker, subresource), nil
}

// leaks describes what the streams have left when all of them have ended: goroutines of the
// daemon, and processes of the container.
func (s *streams) leaks(ctx context.Context) (wrong []string) {
	for end := time.Now().Add(streamTime); ; {
		wrong = append(s.leftGoroutines(ctx), s.leftProcesses(ctx)...)
		if len(wrong) == 0 || time.Now().After(end) || rddtest.Sleep(ctx, checkInterval) != nil {
			return wrong
		}
	}
}

// leftGoroutines describes the goroutines of the daemon that serve streams.
func (s *streams) leftGoroutines(ctx context.Context) []string {
	config, _, err := s.config("")
	if err != nil {
		return []string{err.Error()}
	}
	text, err := get(ctx, config, config.Host+"/debug/pprof/goroutine?debug=1")
	if err != nil {
		return []string{"read the goroutines of the daemon: " + err.Error()}
	}
	return goroutinesOf(text, "/internal/controlplane/streams.(*server).", "/internal/controlplane/streams.(*inputQueue).")
}

// goroutinesOf returns the stacks of a profile that have one of some functions.
func goroutinesOf(profile string, functions ...string) (found []string) {
	for stack := range strings.SplitSeq(profile, "\n\n") {
		if slices.ContainsFunc(functions, func(function string) bool { return strings.Contains(stack, function) }) {
			found = append(found, "the daemon has goroutines of streams that have ended: "+strings.ReplaceAll(stack, "\n", "; "))
		}
	}
	return found
}

// leftProcesses describes the processes of the speaker that it has not started itself: those
// have a parent in the container.
func (s *streams) leftProcesses(ctx context.Context) []string {
	var top struct{ Processes [][]string }
	err := s.engine.Call(ctx, http.MethodGet, "/containers/"+speakerName+"/top?ps_args=-eo%20pid,ppid,args", nil, &top)
	var answer *dockerd.AnswerError
	switch {
	case errors.As(err, &answer) && (answer.Status == http.StatusConflict || answer.Status == http.StatusNotFound || answer.Status == http.StatusInternalServerError):
		return nil // it does not run
	case err != nil:
		return []string{"list the processes of the speaker: " + err.Error()}
	}
	return orphansOf(top.Processes)
}

// orphansOf returns the processes (pid, parent, program) whose parent is none of them, but
// for the container's own one.
func orphansOf(processes [][]string) (orphans []string) {
	for _, one := range processes {
		hasParent := slices.ContainsFunc(processes, func(other []string) bool { return other[0] == one[1] })
		if program := strings.Join(one[2:], " "); !hasParent && !strings.Contains(program, "read run") {
			orphans = append(orphans, "a program of exec is left in the container: "+program)
		}
	}
	return orphans
}
