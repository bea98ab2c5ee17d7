package home

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// maxLedger is the number of requests that are kept. Of more, the older half goes.
const maxLedger = 20_000

// Ledger records what this machine has carried out of what was requested on a hub: desired
// states, deletes, actions, and requests. The hub records them too, in the status of the
// mirrors, but a hub that returns from a backup has forgotten the last ones, and requests them
// again. It is safe for concurrent use.
type Ledger struct {
	path string

	mu sync.Mutex
	// isTorn is set if the last line of the file is not complete.
	isTorn bool
	lines  []string
	// known has the outcomes of the requests.
	known map[string]string
}

// maxOutcome is the maximum size of an outcome, in bytes. A longer one is not recorded, and
// its request is.
const maxOutcome = 2 << 10

// separator is between a request and its outcome.
const separator = "\t"

// OpenLedger reads the ledger of an instance.
func OpenLedger(inst instance.Instance) (*Ledger, error) {
	l := &Ledger{path: filepath.Join(inst.DataDir, filename.HubRequests), known: map[string]string{}}
	content, err := os.ReadFile(l.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the record of requests that were carried out: %w", err)
	}
	for line := range strings.Lines(string(content)) {
		// A crash can leave a part of the last line.
		text, isWhole := strings.CutSuffix(line, "\n")
		if l.isTorn = !isWhole; isWhole {
			l.add(text)
		}
	}
	return l, nil
}

func (l *Ledger) add(line string) {
	key, outcome, _ := strings.Cut(line, separator)
	if _, ok := l.known[key]; ok || key == "" {
		return
	}
	l.known[key] = outcome
	l.lines = append(l.lines, line)
}

// Find reports whether a request of the resource with this UID was carried out, and with
// which outcome.
func (l *Ledger) Find(uid types.UID, request string) (outcome string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	outcome, ok = l.known[keyOf(uid, request)]
	return outcome, ok
}

// Add records a request that was carried out, and its outcome, which can be empty and has
// one line. It returns when the record is on the disk. Only the first outcome is kept.
func (l *Ledger) Add(uid types.UID, request, outcome string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := keyOf(uid, request)
	if _, ok := l.known[line]; ok {
		return nil
	}
	if outcome != "" && len(outcome) <= maxOutcome {
		line += separator + oneLine(outcome)
	}
	l.add(line)
	var err error
	if len(l.lines) > maxLedger {
		err = l.compact()
	} else {
		err = l.append(line)
	}
	if err != nil {
		return fmt.Errorf("record a request that was carried out: %w", err)
	}
	return nil
}

func (l *Ledger) append(line string) error {
	const mode = 0o600
	file, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	line += "\n"
	if l.isTorn {
		line = "\n" + line
	}
	_, err = file.WriteString(line)
	if err == nil {
		err = file.Sync()
	}
	if err == nil && len(l.lines) == 1 { // the file is new
		err = instance.SyncDirectory(filepath.Dir(l.path))
	}
	l.isTorn = err != nil
	return errors.Join(err, file.Close())
}

// compact removes the older half.
func (l *Ledger) compact() error {
	kept := l.lines[len(l.lines)/2:]
	l.lines, l.known = nil, map[string]string{}
	for _, line := range kept {
		l.add(line)
	}
	return instance.ReplaceFile(l.path, []byte(strings.Join(l.lines, "\n")+"\n"))
}

func keyOf(uid types.UID, request string) string { return oneLine(string(uid) + " " + request) }

func oneLine(text string) string { return strings.NewReplacer("\n", " ", separator, " ").Replace(text) }
