package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// slack is how old a wish may be that was overtaken by another one, and is still
// on its way to the engine, over a bad link too.
const slack = 6 * time.Second

// noted is how long after an answer the daemon has written down that a wish was
// carried out, at the most; then no kill is a reason to do it again.
const noted = 3 * time.Second

// parsed is a change in the words of the ledger.
type parsed struct {
	object string
	verb   string // start, stop, unpause, delete
}

// parse understands the requests that the daemon may send; false for any other.
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
		id, verb, _ := strings.Cut(rest, "/")
		known := verb == "start" || verb == "stop" || verb == "unpause"
		return parsed{objectOf(kind, id), verb}, known && kind == containersv1.KindContainer && c.method == http.MethodPost
	}
	return parsed{}, false
}

// unasked tells of the changes that the daemon made and nobody asked for.
func (l *ledger) unasked(changes []change, since time.Time) []string {
	var wrong []string
	done := map[parsed][]change{}
	for _, c := range changes {
		p, ok := parse(c)
		what := fmt.Sprintf("rdd sent %s %s at %s (answer %d)", c.method, c.path, c.began.UTC().Format("15:04:05.000"), c.status)
		if !ok {
			wrong = append(wrong, what+", which is no way to carry out a wish")
			continue
		}
		if why := l.unjustified(p, c); why != "" && c.began.After(since) {
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

// asksFor is whether a request is a reason for a verb.
func (r request) asksFor(verb string) bool {
	switch verb {
	case "start":
		return r.verb == wish && r.state == containersv1.StateRunning
	case "stop":
		return r.verb == wish && r.state == containersv1.StateCreated
	case "unpause":
		return r.verb == wish && r.state != containersv1.StateUnknown
	default:
		return r.verb == remove
	}
}

// unjustified says why a change should not have been; empty when it should.
func (l *ledger) unjustified(p parsed, c change) string {
	var asked, other request
	for _, r := range l.of(p.object) {
		switch {
		case !r.began.Before(c.began) || r.verb == touch:
		case r.asksFor(p.verb):
			asked = r
		case r.verb == wish && r.acknowledged:
			other = r
		}
	}
	switch {
	case asked.began.IsZero():
		return "nobody asked for it"
	case p.verb != "delete" && other.began.After(asked.ended) && !asked.ended.IsZero() && other.ended.Before(c.began.Add(-slack)):
		return fmt.Sprintf("the wish is %s since %s", other.state, other.ended.UTC().Format("15:04:05.000"))
	}
	return ""
}

// repeated tells of wishes that were carried out again, without a reason such as
// a daemon that was killed, or an answer that may have been lost.
func (l *ledger) repeated(p parsed, some []change, since time.Time) []string {
	if p.verb == "unpause" || p.verb == "delete" {
		return nil // each is part of something, or cannot be done twice
	}
	var wrong []string
	for i := 1; i < len(some); i++ {
		first, second := some[i-1], some[i]
		if second.began.Before(since) || l.disturbed(first.began.Add(-time.Second), first.ended.Add(noted)) {
			continue
		}
		again := slices.ContainsFunc(l.of(p.object), func(r request) bool {
			return r.asksFor(p.verb) && (r.ended.IsZero() || r.ended.After(first.began.Add(-time.Second))) && r.began.Before(second.began)
		})
		if !again {
			wrong = append(wrong, fmt.Sprintf("rdd carried out one wish twice: %s of %s at %s and %s", p.verb, p.object,
				first.began.UTC().Format("15:04:05.000"), second.began.UTC().Format("15:04:05.000")))
		}
	}
	return wrong
}
