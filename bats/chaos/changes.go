package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// maxTransit is how long a request to the engine may be on its way over an impaired
// link. A request for a desired state that has changed since is legal for so long.
const maxTransit = 6 * time.Second

// recordTime is how long the daemon may take to record that a desired state is
// reached, after the engine's answer. A later kill is no reason to apply it again.
const recordTime = 3 * time.Second

// parsed is a change in the terms of the ledger.
type parsed struct {
	object string
	// verb is that of a container, or delete, create, push or tag.
	verb string
}

// create is the verb of a request for a new object.
const create = "create"

// containerVerbs are what the daemon does to a container.
func containerVerbs() []string {
	return []string{"start", "stop", "unpause", "pause", "restart", "kill"}
}

// parse returns false for a request that the daemon may never send.
func parse(c change) (parsed, bool) {
	path := c.path
	if strings.HasPrefix(path, "/v1.") {
		path = path[strings.IndexByte(path[1:], '/')+1:]
	}
	for _, kind := range containersv1.Kinds() {
		rest, ok := strings.CutPrefix(path, "/"+kind.GroupVersionResource().Resource+"/")
		if !ok {
			continue
		}
		if c.method == http.MethodDelete {
			return parsed{objectOf(kind, rest), "delete"}, true
		}
		if rest == create && c.method == http.MethodPost {
			return parsed{string(kind), create}, true
		}
		if c.method != http.MethodPost {
			return parsed{}, false
		}
		if at := strings.LastIndexByte(rest, '/'); at > 0 && kind == containersv1.KindImage {
			verb := rest[at+1:]
			return parsed{objectOf(kind, rest[:at]), verb}, verb == push || verb == tag
		}
		id, verb, _ := strings.Cut(rest, "/")
		return parsed{objectOf(kind, id), verb}, kind == containersv1.KindContainer && slices.Contains(containerVerbs(), verb)
	}
	return parsed{}, false
}

// unrequested describes the changes that the daemon made without a request for them.
func (l *ledger) unrequested(changes []change, since time.Time) []string {
	var wrong []string
	done := map[parsed][]change{}
	own := l.ownContainers(changes)
	for _, c := range changes {
		p, ok := parse(c)
		what := fmt.Sprintf("rdd sent %s %s at %s (answer %d)", c.method, c.path, c.began.UTC().Format("15:04:05.000"), c.status)
		if !ok {
			wrong = append(wrong, what+", which applies no desired state")
			continue
		}
		if why := l.unjustified(p, c); why != "" && c.began.After(since) && !(own(p.object, c.began) && l.isAttempt(p)) {
			wrong = append(wrong, what+": "+why)
		}
		if c.done() {
			done[p] = append(done[p], c)
		}
	}
	for p, some := range done {
		wrong = append(wrong, l.repeated(p, some, since)...)
	}
	slices.Sort(wrong)
	return wrong
}

// ownContainers returns a function that reports whether the daemon may have created a
// container before a time. The ID of a container is unknown if the answer to its creation was
// lost. So a container that no worker has created counts too, once such an answer was lost.
func (l *ledger) ownContainers(changes []change) func(object string, before time.Time) bool {
	own := map[string]bool{}
	var lost time.Time
	for _, c := range changes {
		p, _ := parse(c)
		switch {
		case c.created != "":
			own[objectOf(containersv1.KindContainer, c.created)] = true
		case p == parsed{string(containersv1.KindContainer), create} && c.status == 0 && lost.IsZero():
			lost = c.began
		}
	}
	return func(object string, before time.Time) bool {
		return own[object] || !lost.IsZero() && lost.Before(before) && !l.isOfWorker(object)
	}
}

// isOfWorker reports whether a worker has created a container.
func (l *ledger) isOfWorker(object string) bool {
	return slices.ContainsFunc(l.of(object), func(r request) bool { return r.verb == engineChange && r.what == createdByWorker })
}

// isAttempt reports whether a change of a container that the daemon created can belong to
// its request. A start that was interrupted is tried with another container, and the
// first one is removed; the result of a request stays.
func (l *ledger) isAttempt(p parsed) bool {
	return p.verb == "start" || p.verb == "delete" && !l.isRequested(p.object)
}

// justifies reports whether a request is a reason for a verb.
func (r request) justifies(verb string) bool {
	if r.verb == requestAction {
		return slices.Contains(callsOf(r.action), verb)
	}
	switch verb {
	case "start":
		return r.verb == setState && r.state == containersv1.StateRunning
	case "stop":
		return r.verb == setState && r.state == containersv1.StateCreated
	case "unpause":
		return r.verb == setState && r.state != containersv1.StateUnknown
	case "delete":
		return r.verb == deleteMirror
	}
	return false
}

// endedBefore reports whether an action was carried out before a time.
func (r request) endedBefore(at time.Time) bool {
	return r.outcome != nil && completion(r.outcome.CompletedAt).Before(at)
}

// callsOf returns the verbs with which the daemon carries out an action. A paused
// container neither starts nor stops, and a restart starts one that does not run.
func callsOf(action containersv1.Action) []string {
	switch action {
	case containersv1.ActionStart, containersv1.ActionStop:
		return []string{string(action), "unpause"}
	case containersv1.ActionRestart:
		return []string{"restart", "start", "unpause"}
	case containersv1.ActionPause, containersv1.ActionUnpause, containersv1.ActionKill:
	}
	return []string{string(action)}
}

// unjustified says why a change is wrong; it is empty for one that is right.
func (l *ledger) unjustified(p parsed, c change) string {
	if l.isAsked(p, c) || p.verb == "start" && l.isRequested(p.object) {
		return ""
	}
	var reason, other request
	for _, r := range l.of(p.object) {
		switch {
		case !r.began.Before(c.began) || r.verb == engineChange || r.wasRejected():
		case r.justifies(p.verb) && !r.endedBefore(c.began.Add(-maxTransit)):
			if reason.verb != requestAction { // which no later desired state supersedes
				reason = r
			}
		case r.verb == setState && r.acknowledged:
			other = r
		}
	}
	switch {
	case reason.began.IsZero():
		return "there was no request for it"
	case reason.verb == setState && other.began.After(reason.ended) && !reason.ended.IsZero() && other.ended.Before(c.began.Add(-maxTransit)):
		return fmt.Sprintf("the desired state is %s since %s", other.state, other.ended.UTC().Format("15:04:05.000"))
	}
	return ""
}

// repeated describes desired states that were applied twice without a reason. Reasons
// are a killed daemon and an answer that may have been lost.
func (l *ledger) repeated(p parsed, some []change, since time.Time) []string {
	if p.verb != "start" && p.verb != "stop" && p.verb != "restart" {
		// Most others cannot succeed twice. judgeRequests counts objects.
		return nil
	}
	var wrong []string
	for i := 1; i < len(some); i++ {
		first, second := some[i-1], some[i]
		if second.began.Before(since) || l.disturbed(first.began.Add(-time.Second), first.ended.Add(recordTime)) {
			continue
		}
		again := slices.ContainsFunc(l.of(p.object), func(r request) bool {
			if !r.justifies(p.verb) || !r.began.Before(second.began) {
				return false
			}
			// One of two starts or stops may be that of an action.
			return r.ended.IsZero() || r.ended.After(first.began.Add(-time.Second)) || p.verb != "restart" && r.actsAfter(first.began)
		})
		if !again {
			wrong = append(wrong, fmt.Sprintf("rdd applied one desired state twice: %s of %s at %s and %s", p.verb, p.object,
				first.began.UTC().Format("15:04:05.000"), second.began.UTC().Format("15:04:05.000")))
		}
	}
	return wrong
}
