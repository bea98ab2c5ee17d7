package mirror

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Ledger records the requests that were carried out, for an API server that can return
// with the data of an earlier day, and would request them again.
type Ledger interface {
	Has(uid types.UID, request string) bool
	// Add returns when the record is durable.
	Add(uid types.UID, request string) error
}

// requestOf identifies what a resource requests with an operation; it is empty if that is not
// known. The generation alone does not identify a desired state: after the return of a
// backup, another one can get the same generation. An action has no identity: the time of its
// annotation has seconds, in which it can be requested twice.
func requestOf(op operation, fresh containersv1.Mirror) string {
	switch op {
	case applyDesiredState:
		if at := containersv1.ChangedAt(fresh, "f:state"); at != "" {
			return fmt.Sprintf("state %d %s", fresh.GetGeneration(), at)
		}
	case removeObject:
		return "delete " + fresh.GetDeletionTimestamp().UTC().Format(time.RFC3339)
	}
	return ""
}

// wasDone reports whether the request was carried out before. Then the engine is not called.
func (cfg Config) wasDone(out *outcome) bool {
	out.wasDone = cfg.Ledger != nil && out.request != "" && cfg.Ledger.Has(out.uid, out.request)
	return out.wasDone
}

// recordDone records a request that the engine has carried out. A failure to record does not
// undo it, so it is only logged.
func (cfg Config) recordDone(out outcome) {
	isDone := out.err == nil && out.refused == nil && !out.outdated && !out.wasDone
	if cfg.Ledger == nil || out.request == "" || !isDone {
		return
	}
	if err := cfg.Ledger.Add(out.uid, out.request); err != nil {
		cfg.Logger.Warn("a request that was carried out could not be recorded", "mirror", cfg.Name, "err", err)
	}
}
