package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// progressEvery is the interval between two reports of progress.
const progressEvery = 200 * time.Millisecond

// progress follows one full sync until every object has been mirrored or has a
// recorded reason why not.
type progress struct {
	// awaited are the mirrors of this sync; pending are those that have not settled.
	pending, awaited map[key]struct{}
	// totals are the objects that were listed.
	totals map[containersv1.Kind]int
	// isRead is set when the session has read everything once.
	isRead bool
	// unread objects could not be read. An object that is read later has mirrors here;
	// it is removed when they have settled.
	unread map[engine.Key]map[key]struct{}
	// unlisted are the kinds that the engine refused to list.
	unlisted map[containersv1.Kind]error
	// failed holds the reasons of objects that could not be mirrored.
	failed map[key]error
}

func newProgress() progress {
	return progress{
		pending: map[key]struct{}{}, awaited: map[key]struct{}{},
		totals: map[containersv1.Kind]int{}, failed: map[key]error{},
	}
}

func (p *progress) listed(counts map[containersv1.Kind]int) {
	if !p.isRead {
		p.totals = counts
	}
}

func (p *progress) await(k key) {
	p.pending[k] = struct{}{}
	p.awaited[k] = struct{}{}
}

// read records that an unread object was read, and has this mirror.
func (p *progress) read(t engine.Key, k key) {
	if mirrors, ok := p.unread[t]; ok {
		mirrors[k] = struct{}{}
	}
}

func (p *progress) settled(k key, err error) {
	delete(p.pending, k)
	for t, mirrors := range p.unread {
		if _, ok := mirrors[k]; !ok {
			continue
		}
		if delete(mirrors, k); len(mirrors) == 0 {
			delete(p.unread, t)
		}
	}
	if err == nil {
		delete(p.failed, k)
	} else if p.failed != nil {
		p.failed[k] = err
	}
}

func (p *progress) gaveUp(k key, err error) {
	p.settled(k, fmt.Errorf("the mirror %s failed too often, and restarts later: %w", k.path(), err))
}

// completed records the end of a full sync. An object that an earlier sync could not read
// stays until its mirrors have settled.
func (p *progress) completed(synced engine.Synced) {
	p.unlisted = synced.Unlisted
	p.isRead = p.isRead || len(p.unlisted) == 0
	maps.DeleteFunc(p.unread, func(_ engine.Key, mirrors map[key]struct{}) bool { return len(mirrors) == 0 })
	if p.unread == nil {
		p.unread = map[engine.Key]map[key]struct{}{}
	}
	for _, object := range synced.Unread {
		p.unread[object] = map[key]struct{}{}
	}
}

// isMirrored reports whether every object was mirrored, or has a recorded reason why not.
func (p *progress) isMirrored() bool { return p.isRead && len(p.pending) == 0 }

// message returns the progress in words, such as "images 212/500, volumes 3/100".
func (p *progress) message() string {
	pending, awaited := map[containersv1.Kind]int{}, map[containersv1.Kind]int{}
	for k := range p.awaited {
		awaited[k.kind]++
	}
	for k := range p.pending {
		pending[k.kind]++
	}
	var parts []string
	for _, kind := range containersv1.Kinds() {
		if !kind.HasFinalizer() {
			continue // not listed by the engine
		}
		total := max(p.totals[kind], awaited[kind])
		parts = append(parts, fmt.Sprintf("%ss %d/%d", strings.ToLower(string(kind)), awaited[kind]-pending[kind], total))
	}
	text := strings.Join(parts, ", ")
	if refusals := p.refusals(); len(refusals) > 0 {
		text += "; " + strings.Join(refusals, "; ")
	}
	return text
}

// refusals says which kinds the engine refused to list.
func (p *progress) refusals() (parts []string) {
	for _, kind := range containersv1.Kinds() {
		if err := p.unlisted[kind]; err != nil {
			parts = append(parts, fmt.Sprintf("the engine refuses to list %ss, whose mirrors stay as they are: %v", strings.ToLower(string(kind)), err))
		}
	}
	return parts
}

// problems returns what is not mirrored although the sync is completed; empty when
// everything is.
func (p *progress) problems() string {
	parts := p.refusals()
	if n := len(p.unread); n > 0 {
		parts = append(parts, count(n, "object")+" could not be read from the engine")
	}
	if n := len(p.failed); n > 0 {
		// Always the same one, so that the message is stable.
		first := slices.MinFunc(slices.Collect(maps.Keys(p.failed)), func(a, b key) int {
			return strings.Compare(a.path(), b.path())
		})
		text := " could not be mirrored"
		if n > 1 {
			text += ", for example"
		}
		parts = append(parts, fmt.Sprintf("%s%s: %v", count(n, "object"), text, p.failed[first]))
	}
	return strings.Join(parts, "; ")
}

// count returns a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
