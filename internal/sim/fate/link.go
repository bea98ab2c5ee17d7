package fate

import (
	"context"
	"errors"
	"sync"
	"time"
)

var (
	// errDead is the error of each call of a killed process.
	errDead = errors.New("simulated: this process was killed")
	// errBug is the value with which a caller panics.
	errBug = errors.New("simulated bug, in a call")
)

// Rates are the probabilities, from 0 to 1, of what can happen to a call.
type Rates struct {
	// Fail: the call has no effect and returns an error. Lose: it has its effect and
	// returns an error. Hang: it returns at its deadline, with or without its effect.
	// Slow: it takes seconds. Crash: the caller panics.
	Fail, Lose, Hang, Slow, Crash float64
}

// Link is a connection with faults, over which calls are made. It is safe for
// concurrent use.
type Link struct {
	fates *Fates
	name  string
	// failure and lost return the errors of Fail and Lose.
	failure, lost func(*Dice) error

	mu    sync.Mutex
	rates Rates
	down  error
	// frozen is closed by a thaw; nil when nothing is frozen.
	frozen chan struct{}
	sturdy map[string]bool
}

// NewLink returns a link without faults. failure and lost return the errors of Fail and
// Lose.
func NewLink(f *Fates, name string, failure, lost func(*Dice) error) *Link {
	return &Link{fates: f, name: name, failure: failure, lost: lost}
}

// Sturdy sets the verbs whose callers never crash and whose calls never hang, because
// they have no deadline.
func (l *Link) Sturdy(verbs ...string) *Link {
	l.with(func() {
		l.sturdy = map[string]bool{}
		for _, verb := range verbs {
			l.sturdy[verb] = true
		}
	})
	return l
}

// Set sets the faults.
func (l *Link) Set(r Rates) { l.with(func() { l.rates = r }) }

// SetDown makes each call fail with err; nil ends that.
func (l *Link) SetDown(err error) { l.with(func() { l.down = err }) }

// Down returns the error with which each call fails, or nil.
func (l *Link) Down() (err error) {
	l.with(func() { err = l.down })
	return err
}

// Freeze holds each call until Thaw.
func (l *Link) Freeze() {
	l.with(func() {
		if l.frozen == nil {
			l.frozen = make(chan struct{})
		}
	})
}

// Thaw ends a Freeze.
func (l *Link) Thaw() {
	l.with(func() {
		if l.frozen != nil {
			close(l.frozen)
			l.frozen = nil
		}
	})
}

func (l *Link) with(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// Process makes calls. They end when it is killed.
type Process struct {
	ctx  context.Context
	kill context.CancelFunc
}

// NewProcess returns a running process.
func NewProcess() *Process {
	p := &Process{}
	p.ctx, p.kill = context.WithCancel(context.Background())
	return p
}

// Kill ends every call of the process, without an effect if it had none yet.
func (p *Process) Kill() { p.kill() }

// Dead reports whether the process was killed.
func (p *Process) Dead() bool { return p.ctx.Err() != nil }

// Bind returns a context that ends with the process too.
func (p *Process) Bind(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(p.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// Call makes one call of verb on object. effect runs at one instant between the request
// and the answer, so that a late answer has an old reading.
func (l *Link) Call(ctx context.Context, p *Process, verb, object string, effect func() error) error {
	dice := l.fates.Draw(l.name + " " + verb + " " + object)
	ctx, cancel := p.Bind(ctx)
	defer cancel()
	var r Rates
	sturdy := false
	l.with(func() {
		r, sturdy = l.rates, l.sturdy[verb]
	})
	if sturdy {
		r.Crash, r.Hang = 0, 0
	}
	if dice.Chance(r.Crash) {
		return l.crash(ctx, dice)
	}
	err := l.exchange(ctx, dice, r, effect)
	if p.Dead() {
		return errDead
	}
	return err
}

// crash makes the caller panic when the call returns.
func (l *Link) crash(ctx context.Context, dice *Dice) error {
	if err := l.travel(ctx, dice, Rates{}); err != nil {
		return err
	}
	panic(errBug)
}

func (l *Link) exchange(ctx context.Context, dice *Dice, r Rates, effect func() error) error {
	fail, lose, hang, before := dice.Chance(r.Fail), dice.Chance(r.Lose), dice.Chance(r.Hang), dice.Chance(0.5)
	if err := l.travel(ctx, dice, r); err != nil {
		return err
	}
	if hang && before {
		return l.hang(ctx, dice)
	}
	if err := l.arrive(ctx, dice); err != nil {
		return err
	}
	if fail {
		return l.failure(dice)
	}
	err := effect()
	if hang {
		return l.hang(ctx, dice)
	}
	if back := l.travel(ctx, dice, r); back != nil {
		return back
	}
	if lose {
		return l.lost(dice)
	}
	return err
}

// travel is one way over the link.
func (l *Link) travel(ctx context.Context, dice *Dice, r Rates) error {
	d := dice.Between(20*time.Microsecond, 3*time.Millisecond)
	if dice.Chance(r.Slow) {
		d = dice.Between(100*time.Millisecond, 8*time.Second)
	}
	return l.fates.Wait(ctx, d)
}

// arrive waits while the link is frozen, and fails while it is down.
func (l *Link) arrive(ctx context.Context, dice *Dice) error {
	for {
		var frozen chan struct{}
		var down error
		l.with(func() { frozen, down = l.frozen, l.down })
		if frozen == nil {
			return down
		}
		select {
		case <-frozen:
		case <-ctx.Done():
			return l.hang(ctx, dice)
		}
		// Calls that waited arrive one after another.
		if err := l.fates.Wait(ctx, dice.Between(time.Microsecond, time.Millisecond)); err != nil {
			return err
		}
	}
}

func (l *Link) hang(ctx context.Context, dice *Dice) error {
	<-ctx.Done()
	l.fates.Pass(dice.Between(straggle, 2*straggle))
	return ctx.Err()
}
