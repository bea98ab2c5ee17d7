package status

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func TestUpdateRaisesRevisionOnChange(t *testing.T) {
	const disk = 1 << 30
	beat := func(boot string, free int64) *limahost.Guest {
		return &limahost.Guest{At: time.Now(), BootID: boot, DiskSize: disk, DiskFree: free}
	}
	b := New(limahost.Status{PID: 1})
	steps := []struct {
		what     string
		change   func(*limahost.Status)
		isChange bool
	}{
		{"nothing", func(*limahost.Status) {}, false},
		{"an answer", func(s *limahost.Status) { s.Answers = true }, true},
		{"the same", func(s *limahost.Status) { s.Answers = true }, false},
		{"a heartbeat", func(s *limahost.Status) { s.Guest = beat("a", disk/2) }, true},
		{"the next one", func(s *limahost.Status) { s.Guest = beat("a", disk/2-4096) }, false},
		{"less space", func(s *limahost.Status) { s.Guest = beat("a", disk/3) }, true},
		{"another boot", func(s *limahost.Status) { s.Guest = beat("b", disk/3) }, true},
		{"trouble", func(s *limahost.Status) { s.Trouble = "x" }, true},
	}
	for _, step := range steps {
		before := b.Get().Revision
		b.Update(step.change)
		if isChange := b.Get().Revision > before; isChange != step.isChange {
			t.Errorf("%s: a change %v, want %v", step.what, isChange, step.isChange)
		}
	}
	if b.Get().Guest.DiskFree != disk/3 {
		t.Error("the last heartbeat is not in the status")
	}
}

func TestEnterPhaseCompletesPrevious(t *testing.T) {
	b := New(limahost.Status{})
	for _, p := range []limahost.Phase{limahost.PhaseImage, limahost.PhaseDisk, limahost.PhaseDisk, limahost.PhaseReady} {
		b.EnterPhase(p)
	}
	s := b.Get()
	if s.Phase != limahost.PhaseReady || len(s.Phases) != 2 || s.Phases[0].Phase != limahost.PhaseImage || s.Phases[1].Phase != limahost.PhaseDisk {
		t.Errorf("%+v", s)
	}
}

func TestServeAnswersOnChange(t *testing.T) {
	home := testkit.ShortDir(t)
	p := limahost.Paths{LimaHome: home}
	b := New(limahost.Status{PID: 7})
	stop, err := Serve(p.Socket(), b, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(p.Socket()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket: %v, %v", info.Mode(), err)
	}
	client := limahost.NewClient(p)
	now, err := client.Status(t.Context(), 0)
	if err != nil || now.PID != 7 || now.Revision != 1 {
		t.Fatalf("%+v, %v", now, err)
	}
	answers := make(chan limahost.Status, 1)
	go func() {
		later, err := client.Status(context.Background(), now.Revision)
		if err != nil {
			t.Error(err)
		}
		answers <- later
	}()
	select {
	case early := <-answers:
		t.Errorf("answered without a change: %+v", early)
	case <-time.After(50 * time.Millisecond):
	}
	b.Update(func(s *limahost.Status) { s.Answers = true })
	if later := <-answers; !later.Answers || later.Revision != 2 {
		t.Errorf("%+v", later)
	}
	// An agent that exits answers its waiting clients.
	go func() {
		_, _ = client.Status(context.Background(), 99)
		answers <- limahost.Status{}
	}()
	stop()
	<-answers
	if _, err := client.Status(t.Context(), 0); err == nil {
		t.Error("an agent that exited answers")
	}
}
