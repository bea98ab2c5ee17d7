package hubtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

const (
	auditPolicyFile = "audit-policy.yaml"
	auditLogFile    = "audit.log"
)

// auditPolicyText logs each request once, and each watch at its start and at its end. It
// leaves out the requests that the API server sends to itself. The text may have another rule.
const auditPolicyText = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver"]
%s- level: Metadata
`

// leasesUnaudited is the rule that leaves out Leases.
const leasesUnaudited = `- level: None
  resources: [{group: coordination.k8s.io, resources: [leases]}]
`

// auditPolicy returns the policy of this cluster.
func (o options) auditPolicy() []byte {
	if o.leavesOutLeases {
		return fmt.Appendf(nil, auditPolicyText, leasesUnaudited)
	}
	return fmt.Appendf(nil, auditPolicyText, "")
}

// AuditEvent is a request, as in audit.k8s.io/v1.
type AuditEvent struct {
	// Stage is ResponseComplete, or ResponseStarted at the start of a watch.
	Stage      string `json:"stage"`
	Verb       string `json:"verb"`
	RequestURI string `json:"requestURI"`
	UserAgent  string `json:"userAgent"`
	User       struct {
		Username string   `json:"username"`
		Groups   []string `json:"groups"`
	} `json:"user"`
	// ObjectRef is nil for a request without a resource.
	ObjectRef *struct {
		Resource    string `json:"resource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		APIGroup    string `json:"apiGroup"`
		APIVersion  string `json:"apiVersion"`
		Subresource string `json:"subresource"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	RequestReceived time.Time `json:"requestReceivedTimestamp"`
}

// AuditEvents returns the requests since the start, also of earlier API servers. A
// request may be logged after its client has the answer. It needs WithAuditLog.
func (c *Cluster) AuditEvents() ([]AuditEvent, error) {
	if !c.hasAuditLog {
		return nil, errors.New("read the audit log: the hub was started without WithAuditLog")
	}
	text, err := os.ReadFile(c.AuditLog())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	// The API server may be writing the last line.
	var events []AuditEvent
	for line := range bytes.Lines(text) {
		var event AuditEvent
		if !bytes.HasSuffix(line, []byte("\n")) {
			continue
		}
		if err := json.Unmarshal(line, &event); err != nil {
			return nil, fmt.Errorf("decode the audit log: %w", err)
		}
		events = append(events, event)
	}
	return events, nil
}

// AuditLog returns the path of the audit log.
func (c *Cluster) AuditLog() string { return c.path(auditLogFile) }
