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

// Config has the parameters of the connection to a guest.
type Config struct {
	// Addr is the address of the guest's SSH server, as host:port.
	Addr string
	User string
	// KeyFile is the private key, without a passphrase.
	KeyFile string
	// KnownHosts is the file with the guest's host key, written at the first login.
	KnownHosts string
	// DataDir is a directory in the guest, without blanks. The heartbeat reports the
	// space of its file system.
	DataDir string
	// HeartbeatAfter is closed when the heartbeat may begin; with nil it begins at
	// once. Before, only the guest's SSH server is checked, because the heartbeat's
	// processes delay an emulated guest that is still starting.
	HeartbeatAfter <-chan struct{}
	// Emulated reports whether the guest's processor is emulated. Such a guest prefers
	// ChaCha20, because AES is slow without its instructions.
	Emulated bool
	// Tick is the unit of the heartbeat; the default is a second. A heartbeat is
	// requested every two ticks, and the guest counts as silent after six.
	Tick time.Duration
}

func (c Config) tick() time.Duration { return cmp.Or(c.Tick, time.Second) }

// Hooks are called on changes. They must return soon. They are called one at a time,
// except Beat, which another goroutine calls.
type Hooks struct {
	// Answered is called before each login, when the guest's SSH server answers.
	Answered func()
	// Failed is called with the error of an attempt to connect.
	Failed func(error)
	// Up is called with a connection, which is open until Down.
	Up func(*Conn)
	// Beat is called with each heartbeat.
	Beat func(limahost.Guest)
	// Down is called when the connection is closed, with the reason.
	Down func(error)
}

// retryPause is the pause after a failed attempt. It is short, because an attempt is
// cheap and a user waits for it.
const retryPause = 150 * time.Millisecond

// Link keeps a connection to a guest open.
type Link struct {
	cfg   Config
	hooks Hooks
	// hasNetwork reports whether the guest is known to have a network. networkUp receives
	// once when that becomes known.
	hasNetwork atomic.Bool
	networkUp  chan struct{}
}

// New returns a link. Run runs it.
func New(c Config, h Hooks) *Link {
	return &Link{cfg: c, hooks: h, networkUp: make(chan struct{}, 1)}
}

// NetworkUp notifies the link that the guest has a network. Attempts wait longer for
// an answer afterwards.
func (l *Link) NetworkUp() {
	if l.hasNetwork.CompareAndSwap(false, true) {
		l.networkUp <- struct{}{}
	}
}

// Run connects, and reconnects after a failure, until ctx ends.
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
	p := eager(tries)
	if l.hasNetwork.Load() {
		p = patient()
	}
	raw, err := reach(ctx, l.cfg.Addr, p, l.networkUp)
	if err != nil {
		// A connection that the guest closes proves that the guest has a network.
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
			l.hasNetwork.Store(true)
		}
		return nil, err
	}
	l.hasNetwork.Store(true)
	l.hooks.Answered()
	return login(ctx, raw, l.cfg)
}
