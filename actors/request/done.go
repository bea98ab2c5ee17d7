package request

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Ledger records the requests that were carried out, for an API server that can return with
// the data of an earlier day, and would request them again.
type Ledger interface {
	// Find reports whether a request was carried out, and with which outcome.
	Find(uid types.UID, request string) (outcome string, ok bool)
	// Add returns when the record is durable.
	Add(uid types.UID, request, outcome string) error
}

// ended is the name of the record of a request that was completed or has failed.
const ended = "ended"

// The maximum sizes of parts of an outcome in the ledger, in bytes.
const (
	maxDoneMessage = 400
	maxDoneStatus  = 300
)

// endedWith is an Outcome in the ledger.
type endedWith struct {
	Failed  bool                        `json:"failed,omitempty"`
	Reason  string                      `json:"reason,omitempty"`
	Message string                      `json:"message,omitempty"`
	Result  *containersv1.RequestResult `json:"result,omitempty"`
	// Status has the fields that only this kind of request has, unless they are large.
	Status json.RawMessage `json:"status,omitempty"`
}

// ownStatus returns the fields that an outcome sets.
func (out Outcome) ownStatus(kind containersv1.RequestKind) json.RawMessage {
	if out.Set == nil {
		return nil
	}
	blank := containersv1.NewRequest(kind)
	out.Set(blank)
	text, err := json.Marshal(blank)
	var parts struct{ Status json.RawMessage }
	if err != nil || json.Unmarshal(text, &parts) != nil || len(parts.Status) > maxDoneStatus {
		return nil
	}
	return parts.Status
}

// outcome returns the Outcome that was recorded.
func (was endedWith) outcome() Outcome {
	if was.Failed {
		return Failed(was.Reason, was.Message)
	}
	out := Completed(was.Message, was.Result)
	if was.Status != nil {
		out.Set = func(r containersv1.Request) {
			text, err := json.Marshal(map[string]json.RawMessage{"status": was.Status})
			if err == nil {
				_ = json.Unmarshal(text, r) // an earlier version may have recorded other fields
			}
		}
	}
	return out
}

// doneBefore returns the outcome of a request that was carried out before, or false.
func (cfg Config) doneBefore(uid types.UID) (Outcome, bool) {
	if cfg.Ledger == nil {
		return Outcome{}, false
	}
	text, ok := cfg.Ledger.Find(uid, ended)
	if !ok {
		return Outcome{}, false
	}
	was := endedWith{}
	if json.Unmarshal([]byte(text), &was) != nil {
		return Completed("rdd has carried out this request before", nil), true
	}
	return was.outcome(), true
}

// recordDone records a request that was carried out or has failed. A failure to record does
// not undo it, so it is only logged.
func (cfg Config) recordDone(kind containersv1.RequestKind, uid types.UID, out Outcome) {
	if cfg.Ledger == nil || out.phase != phaseCompleted && out.phase != phaseFailed {
		return
	}
	text, err := json.Marshal(endedWith{
		Failed: out.phase == phaseFailed, Reason: out.Reason, Message: limitedTo(maxDoneMessage, out.Message), Result: out.Result,
		Status: out.ownStatus(kind),
	})
	if err == nil {
		err = cfg.Ledger.Add(uid, ended, string(text))
	}
	if err != nil {
		cfg.Logger.Warn("a request that was carried out could not be recorded", "uid", uid, "err", err)
	}
}
