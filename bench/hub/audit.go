package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
)

// auditMark is a place in the audit log: requests before it are not counted.
type auditMark int64

// mark returns the present end of the audit log.
func (h *hub) mark() (auditMark, error) {
	info, err := os.Stat(h.cluster.AuditLog())
	if err != nil {
		return 0, fmt.Errorf("read the audit log: %w", err)
	}
	return auditMark(info.Size()), nil
}

// audited calls visit with each request since a mark.
func (h *hub) audited(since auditMark, visit func(*hubtest.AuditEvent)) error {
	file, err := os.Open(h.cluster.AuditLog())
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	defer file.Close()
	if _, err := file.Seek(int64(since), io.SeekStart); err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // the API server may be writing the last line
		}
		if err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		var event hubtest.AuditEvent
		if err := json.Unmarshal(line, &event); err != nil {
			return fmt.Errorf("decode the audit log: %w", err)
		}
		visit(&event)
	}
}

// tally are the writes of machines.
type tally struct {
	// mirrors by resource and name, such as "containers/abc".
	mirrors map[string]int
	// refused are writes of mirrors that the hub refused. They are in mirrors too.
	refused int
	// others are the writes that are neither of mirrors nor of Leases.
	others int
	leases int
}

// of returns the writes of one resource, or of all mirrors for an empty one.
func (t *tally) of(resource string) int {
	sum := 0
	for key, n := range t.mirrors {
		if strings.HasPrefix(key, resource+"/") || resource == "" {
			sum += n
		}
	}
	return sum
}

// writes returns the writes of machines since a mark, of all if none is named.
func (h *hub) writes(since auditMark, names ...string) (*tally, error) {
	users := map[string]bool{}
	for _, name := range names {
		users[hubv1.ServiceAccountUser(name)] = true
	}
	t := &tally{mirrors: map[string]int{}}
	err := h.audited(since, func(e *hubtest.AuditEvent) {
		if e.ObjectRef != nil && isWrite(e.Verb) && (users[e.User.Username] || len(names) == 0 && isMachine(e)) {
			t.count(e)
		}
	})
	return t, err
}

func isMachine(e *hubtest.AuditEvent) bool {
	return strings.HasSuffix(e.User.Username, ":"+hubv1.ServiceAccountName) && strings.HasPrefix(e.User.Username, "system:serviceaccount:")
}

func isWrite(verb string) bool {
	switch verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	default:
		return false
	}
}

func (t *tally) count(e *hubtest.AuditEvent) {
	switch ref := e.ObjectRef; {
	case ref.APIGroup == containersv1.GroupVersion.Group:
		t.mirrors[ref.Resource+"/"+ref.Name]++
		if e.ResponseStatus.Code >= 400 {
			t.refused++
		}
	case ref.Resource == "leases":
		t.leases++
	case ref.Resource == "machines" && e.Verb == "patch":
		// a machine reads its Machine by a patch without a change
	default:
		t.others++
	}
}
