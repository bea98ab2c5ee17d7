package engine

import (
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

func TestDeriveState(t *testing.T) {
	const (
		idle         = messages.EngineIdle
		connecting   = messages.EngineConnecting
		syncing      = messages.EngineSyncing
		ready        = messages.EngineReady
		lost         = messages.EngineDisconnected
		cleaning     = messages.EngineCleaning
		isMirrored   = true
		isUnmirrored = false
	)
	at := func(c connection, isMirrored bool) facts {
		return facts{isCommanded: true, isDesired: true, connection: c, isMirrored: isMirrored}
	}
	stopped := facts{isCommanded: true, isEmpty: true}
	replacing := facts{isCommanded: true, isDesired: true, isReplacing: true}
	for _, tc := range []struct {
		name   string
		before facts
		from   messages.EngineState
		change func(*facts)
		to     messages.EngineState
	}{
		{"mirrors are delivered before the first command", facts{isEmpty: true}, idle, func(f *facts) { f.isEmpty = false }, idle},
		{"first command: no engine, mirrors of a former daemon", facts{}, idle, func(f *facts) { f.isCommanded = true }, cleaning},
		{"first command: no engine, no mirrors", facts{isEmpty: true}, idle, func(f *facts) { f.isCommanded = true }, idle},
		{"first command: an engine", facts{}, idle, func(f *facts) { f.isCommanded, f.isDesired = true, true }, connecting},
		{"a mirror is delivered after the end", stopped, idle, func(f *facts) { f.isEmpty = false }, cleaning},
		{"the last mirror is gone", facts{isCommanded: true}, cleaning, func(f *facts) { f.isEmpty = true }, idle},
		{"the engine is desired again while its mirrors go", facts{isCommanded: true}, cleaning, func(f *facts) { f.isDesired = true }, connecting},
		{"another engine is desired while mirrors go", facts{isCommanded: true}, cleaning, func(f *facts) { f.isDesired, f.isReplacing = true, true }, cleaning},
		{"an attempt to connect fails", at(neverConnected, isUnmirrored), connecting, func(*facts) {}, connecting},
		{"connected", at(neverConnected, isUnmirrored), connecting, func(f *facts) { f.connection = connected }, syncing},
		{"the full sync completes", at(connected, isUnmirrored), syncing, func(f *facts) { f.isMirrored = true }, ready},
		{"the connection is lost", at(connected, isMirrored), ready, func(f *facts) { f.connection = disconnected }, lost},
		{"the connection is lost during the sync", at(connected, isUnmirrored), syncing, func(f *facts) { f.connection = disconnected }, lost},
		{"the mirrors are gone after the grace period", at(disconnected, isMirrored), lost, func(f *facts) { f.isEmpty = true }, lost},
		{"connected again, with a new sync", at(disconnected, isMirrored), lost, func(f *facts) { f.connection, f.isMirrored = connected, false }, syncing},
		{"no engine is desired any more", at(connected, isMirrored), ready, func(f *facts) { f.isDesired = false }, cleaning},
		{"no engine is desired, with nothing to remove", at(disconnected, isUnmirrored), lost, func(f *facts) { f.isDesired, f.isEmpty = false, true }, idle},
		{"another engine is desired", at(connected, isMirrored), ready, func(f *facts) { f.isReplacing, f.connection = true, neverConnected }, cleaning},
		{"a late report of the former session", replacing, cleaning, func(f *facts) { f.connection = connected }, cleaning},
		{"the client of the former engine is closed", replacing, cleaning, func(f *facts) { f.isReplacing, f.isEmpty = false, true }, connecting},
		{"the former engine is desired again", replacing, cleaning, func(f *facts) { f.isReplacing = false }, connecting},
		{"the supervisor restarts", at(connected, isMirrored), ready, func(f *facts) { *f = facts{} }, idle},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := deriveState(tc.before); got != tc.from {
				t.Errorf("before: %s, want %s", got, tc.from)
			}
			tc.change(&tc.before)
			if got := deriveState(tc.before); got != tc.to {
				t.Errorf("after: %s, want %s", got, tc.to)
			}
		})
	}
}
