package home

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

func openLedger(t *testing.T, inst instance.Instance) *Ledger {
	t.Helper()
	if err := os.MkdirAll(inst.DataDir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := OpenLedger(inst)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func has(l *Ledger, uid types.UID, request string) bool {
	_, ok := l.Find(uid, request)
	return ok
}

func TestLedgerKeepsOutcome(t *testing.T) {
	inst := instancetest.At(t, "test")
	l := openLedger(t, inst)
	for request, outcome := range map[string]string{
		"pull": `{"phase":"completed"}`, "start": "port 80\nis\tin use", "push": strings.Repeat("x", maxOutcome+1), "stop": "",
	} {
		for _, each := range []string{outcome, "another one"} {
			if err := l.Add("uid", request, each); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, now := range []*Ledger{l, openLedger(t, inst)} {
		for request, want := range map[string]string{
			"pull": `{"phase":"completed"}`, "start": "port 80 is in use", "push": "", "stop": "",
		} {
			if got, ok := now.Find("uid", request); got != want || !ok {
				t.Errorf("%s: %q, %v", request, got, ok)
			}
		}
	}
}

func TestLedgerSurvivesRestart(t *testing.T) {
	inst := instancetest.At(t, "test")
	l := openLedger(t, inst)
	for range 2 {
		if err := l.Add("uid", "state 2", ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, now := range []*Ledger{l, openLedger(t, inst)} {
		if !has(now, "uid", "state 2") || has(now, "uid", "state 3") || has(now, "other", "state 2") {
			t.Errorf("known: %v", now.known)
		}
	}
	if text, err := os.ReadFile(filepath.Join(inst.DataDir, filename.HubRequests)); err != nil || string(text) != "uid state 2\n" {
		t.Errorf("file %q, %v", text, err)
	}
}

// A crash during an append leaves a part of a line, which is no request.
func TestLedgerWithPartOfLine(t *testing.T) {
	inst := instancetest.At(t, "test")
	l := openLedger(t, inst)
	if err := l.Add("first", "state 1", ""); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(inst.DataDir, filename.HubRequests)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(whole, "uid sta"...), 0o600); err != nil {
		t.Fatal(err)
	}
	again := openLedger(t, inst)
	if has(again, "uid", "sta") {
		t.Error("a part of a line is a request")
	}
	if err := again.Add("last", "state 3", ""); err != nil {
		t.Fatal(err)
	}
	if again = openLedger(t, inst); !has(again, "first", "state 1") || !has(again, "last", "state 3") {
		t.Errorf("known: %v", again.known)
	}
}

func TestLedgerIsBounded(t *testing.T) {
	inst := instancetest.At(t, "test")
	l := openLedger(t, inst)
	for i := range maxLedger {
		l.add(keyOf(types.UID(fmt.Sprint(i)), "delete"))
	}
	if err := l.Add("last", "delete", ""); err != nil {
		t.Fatal(err)
	}
	for _, now := range []*Ledger{l, openLedger(t, inst)} {
		if n := len(now.lines); n > maxLedger/2+1 || !has(now, "last", "delete") || has(now, "0", "delete") {
			t.Errorf("%d lines are left", n)
		}
	}
}
