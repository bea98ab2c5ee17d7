package guest

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// Config says how to reach a guest.
type Config struct {
	// Addr of the guest's SSH server, as host:port.
	Addr string
	User string
	// KeyFile is the private key, without a passphrase.
	KeyFile string
	// KnownHosts is the file with the guest's host key, made at the first login.
	KnownHosts string
	// DataDir is a directory in the guest, without blanks; the heartbeat tells of
	// the file system that it is in.
	DataDir string
	// After, when it is closed, is when the heartbeat begins; nil is at once. Until
	// then the guest's SSH server alone is asked whether it is alive, because the
	// processes of a heartbeat delay an emulated guest that is still starting.
	After <-chan struct{}
	// Emulated is whether the guest's processor is: it has no instructions that
	// make AES fast, and ChaCha20 needs none.
	Emulated bool
	// Tick is the unit of the heartbeat: the guest is asked every two and is
	// silent after six. 0 is a second.
	Tick time.Duration
}

func (c Config) tick() time.Duration { return cmp.Or(c.Tick, time.Second) }

// Hooks are told what happens, one at a time but for Beat, which comes between
// Up and Down from another goroutine. They must return soon.
type Hooks struct {
	// Answers is told that the guest's SSH server speaks, before each login.
	Answers func()
	// Failed is told why an attempt to connect failed.
	Failed func(error)
	// Up is given a connection, which is good until Down.
	Up   func(*Conn)
	Beat func(limahost.Guest)
	// Down is told why the connection is gone. It is closed already.
	Down func(error)
}

// retryPause follows an attempt that failed. It is short, since an attempt costs
// next to nothing and somebody is always waiting.
const retryPause = 150 * time.Millisecond

// Link is the connection to a guest that is made anew whenever it breaks.
type Link struct {
	cfg   Config
	hooks Hooks
	// networked is whether the guest is known to have a network; news receives
	// when that becomes known.
	networked atomic.Bool
	news      chan struct{}
}

// New returns a link; Run makes it work.
func New(c Config, h Hooks) *Link {
	return &Link{cfg: c, hooks: h, news: make(chan struct{}, 1)}
}

// Networked tells the link that the guest has a network now, so that it is worth
// waiting for an answer.
func (l *Link) Networked() {
	if l.networked.CompareAndSwap(false, true) {
		l.news <- struct{}{}
	}
}

// Run connects, again and again, until ctx ends.
func (l *Link) Run(ctx context.Context) {
	for tries := 0; ctx.Err() == nil; tries++ {
		conn, err := l.connect(ctx, tries)
		switch {
		case err == nil:
			l.hooks.Up(conn)
			err = l.watch(ctx, conn)
			conn.Close()
			l.hooks.Down(err)
		case errors.Is(err, errRestart):
			continue
		case ctx.Err() == nil:
			l.hooks.Failed(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryPause):
		}
	}
}

func (l *Link) connect(ctx context.Context, tries int) (*Conn, error) {
	how := hasty(tries)
	if l.networked.Load() {
		how = patient()
	}
	raw, err := reach(ctx, l.cfg.Addr, how, l.news)
	if err != nil {
		// A refusal is an answer too, but for one from this machine.
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
			l.networked.Store(true)
		}
		return nil, err
	}
	l.networked.Store(true)
	l.hooks.Answers()
	return login(ctx, raw, l.cfg)
}
