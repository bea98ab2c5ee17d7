package hub

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// following are the facts of a hub that is followed.
func following(state messages.EngineState, message string) facts {
	return facts{
		isJoined: true, isHeld: true, isPrepared: true,
		engine: messages.EngineChanged{State: state, Message: message},
	}
}

func with(f facts, change func(*facts)) facts {
	change(&f)
	return f
}

func TestDerive(t *testing.T) {
	ready := following(messages.EngineReady, "")
	away := errors.New("connection refused")
	tests := map[string]struct {
		facts    facts
		reason   string
		isSynced bool
		message  string
	}{
		"not joined":        {facts{}, "", false, ""},
		"invalid join file": {facts{joinErr: errors.New("no context")}, appv1.ReasonHubInvalidJoin, false, "no context"},
		"no Lease yet":      {facts{isJoined: true}, appv1.ReasonHubConnecting, false, ""},
		"away":              {with(ready, func(f *facts) { f.away = away }), appv1.ReasonHubAway, false, "the hub is away: connection refused: local work continues, and rdd retries every few seconds: if the hub should be there, check the network"},
		"unauthorized": {
			with(ready, func(f *facts) { f.away = &home.UnauthorizedError{Message: "revoked"} }),
			appv1.ReasonHubUnauthorized, false, "revoked",
		},
		"waits for its turn": {with(ready, func(f *facts) { f.isDelayed = true }), appv1.ReasonHubConnecting, false, ""},
		"name in use": {
			with(ready, func(f *facts) { f.isHeld, f.holder = false, "other_1" }),
			appv1.ReasonHubHeldByOther, false, "other_1",
		},
		"no definitions": {
			with(ready, func(f *facts) { f.isPrepared, f.prepareErr = false, errors.New("no definition") }),
			appv1.ReasonHubRefused, false, "no definition",
		},
		"definition missing": {
			with(ready, func(f *facts) {
				f.isPrepared, f.prepareErr, f.refused = false, errors.New("no definition"), "404 page not found"
			}),
			appv1.ReasonHubRefused, false, "no definition",
		},
		"quota":           {with(ready, func(f *facts) { f.refused = "exceeded quota" }), appv1.ReasonHubRefused, false, "exceeded quota"},
		"mirrors unread":  {following("", ""), appv1.ReasonHubConnecting, false, ""},
		"syncing":         {following(messages.EngineSyncing, "images 2/5"), appv1.ReasonHubSyncing, false, "images 2/5"},
		"sync begins":     {following(messages.EngineSyncing, ""), appv1.ReasonHubSyncing, false, "comparing the mirrors"},
		"engine unread":   {following(messages.EngineConnecting, ""), appv1.ReasonHubSyncing, false, "connecting to the engine"},
		"engine stopped":  {following(messages.EngineCleaning, ""), appv1.ReasonHubSyncing, false, "removing the mirrors"},
		"engine silent":   {following(messages.EngineDisconnected, ""), appv1.ReasonHubEngineDisconnected, false, "rdd retries"},
		"synced":          {ready, appv1.ReasonHubSynced, true, ""},
		"older":           {with(ready, func(f *facts) { f.skew = "older" }), appv1.ReasonHubSynced, true, "older"},
		"no engine":       {following(messages.EngineIdle, ""), appv1.ReasonHubNoEngine, true, ""},
		"idle VM":         {following(messages.EngineSuspended, ""), appv1.ReasonHubNoEngine, true, ""},
		"engine restarts": {following(messages.EngineDisconnected, "EOF"), appv1.ReasonHubEngineDisconnected, false, "EOF"},
	}
	for name, test := range tests {
		got := derive(test.facts)
		if got.Reason != test.reason || got.IsSynced != test.isSynced || !strings.Contains(got.Message, test.message) {
			t.Errorf("%s: %+v", name, got)
		}
		isSaid := got.Message != "" && !strings.HasSuffix(got.Message, ": ")
		if got.IsJoined && got.Reason != appv1.ReasonHubSynced && !isSaid {
			t.Errorf("%s: the message is %q", name, got.Message)
		}
		if got.IsJoined != (test.reason != "") {
			t.Errorf("%s: joined %v", name, got.IsJoined)
		}
	}
}

func TestSubtreeNeedsLeaseAndHub(t *testing.T) {
	ready := following(messages.EngineReady, "")
	for name, f := range map[string]facts{
		"not joined":   with(ready, func(f *facts) { f.isJoined = false }),
		"away":         with(ready, func(f *facts) { f.away = errors.New("away") }),
		"no Lease":     with(ready, func(f *facts) { f.isHeld = false }),
		"before turn":  with(ready, func(f *facts) { f.isDelayed = true }),
		"not compared": with(ready, func(f *facts) { f.isPrepared = false }),
	} {
		if f.wantsSubtree() {
			t.Errorf("%s: the hub is followed", name)
		}
	}
	if !ready.wantsSubtree() || ready.wantsPreparation() {
		t.Error("the hub is not followed")
	}
	if !with(ready, func(f *facts) { f.isPrepared = false }).wantsPreparation() {
		t.Error("the definitions are not compared")
	}
}

func TestMachineConditions(t *testing.T) {
	tests := map[string]struct {
		facts         facts
		ready, synced metav1.ConditionStatus
		reason        string // of Synced
	}{
		"synced":    {following(messages.EngineReady, ""), metav1.ConditionTrue, metav1.ConditionTrue, hubv1.ReasonSynced},
		"syncing":   {following(messages.EngineSyncing, "images 1/2"), metav1.ConditionTrue, metav1.ConditionFalse, hubv1.ReasonSyncing},
		"stopped":   {following(messages.EngineIdle, ""), metav1.ConditionTrue, metav1.ConditionTrue, hubv1.ReasonNoEngine},
		"lost":      {following(messages.EngineDisconnected, "EOF"), metav1.ConditionFalse, metav1.ConditionFalse, hubv1.ReasonEngineDisconnected},
		"unmapped":  {following(messages.EngineReady, "1 object failed"), metav1.ConditionTrue, metav1.ConditionFalse, hubv1.ReasonMirrorsFailed},
		"old hub":   {with(following(messages.EngineReady, ""), func(f *facts) { f.skew = "older" }), metav1.ConditionTrue, metav1.ConditionFalse, hubv1.ReasonDefinitionsOutdated},
		"quota":     {with(following(messages.EngineReady, ""), func(f *facts) { f.refused = "quota" }), metav1.ConditionTrue, metav1.ConditionFalse, hubv1.ReasonRefused},
		"no answer": {following("", ""), metav1.ConditionFalse, metav1.ConditionFalse, appv1.ReasonHubConnecting},
	}
	for name, test := range tests {
		got := machineConditions(test.facts)
		if got[0].Status != test.ready || got[1].Status != test.synced || got[1].Reason != test.reason {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
