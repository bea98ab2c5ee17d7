package agent

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

func TestBoardTellsWhatIsNew(t *testing.T) {
	const disk = 1 << 30
	beat := func(boot string, free int64) *limahost.Guest {
		return &limahost.Guest{At: time.Now(), BootID: boot, DiskSize: disk, DiskFree: free}
	}
	b := newBoard(limahost.Status{PID: 1})
	steps := []struct {
		what   string
		change func(*limahost.Status)
		news   bool
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
		was := b.read().Revision
		b.update(step.change)
		if news := b.read().Revision > was; news != step.news {
			t.Errorf("%s is news: %v", step.what, news)
		}
	}
	if b.read().Guest.DiskFree != disk/3 {
		t.Error("the last heartbeat is not on the board")
	}
}

func TestPhases(t *testing.T) {
	b := newBoard(limahost.Status{})
	for _, p := range []limahost.Phase{limahost.PhaseImage, limahost.PhaseDisk, limahost.PhaseDisk, limahost.PhaseReady} {
		b.enter(p)
	}
	s := b.read()
	if s.Phase != limahost.PhaseReady || len(s.Phases) != 2 || s.Phases[0].Phase != limahost.PhaseImage || s.Phases[1].Phase != limahost.PhaseDisk {
		t.Errorf("%+v", s)
	}
}

func TestStatusIsServed(t *testing.T) {
	home := testkit.ShortDir(t)
	p := limahost.Paths{LimaHome: home}
	b := newBoard(limahost.Status{PID: 7})
	stop, err := serve(p.Socket(), b, slog.New(slog.DiscardHandler))
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
		t.Errorf("answered without news: %+v", early)
	case <-time.After(50 * time.Millisecond):
	}
	b.update(func(s *limahost.Status) { s.Answers = true })
	if later := <-answers; !later.Answers || later.Revision != 2 {
		t.Errorf("%+v", later)
	}
	// Who waits is not left hanging by an agent that ends.
	go func() {
		_, _ = client.Status(context.Background(), 99)
		answers <- limahost.Status{}
	}()
	stop()
	<-answers
	if _, err := client.Status(t.Context(), 0); err == nil {
		t.Error("an agent that ended answers")
	}
}
