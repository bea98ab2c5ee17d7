package datastore

import "context"

// Sync decides whether the writes with a context must be on the disk before they are
// answered. It belongs to one goroutine.
type Sync struct{ isRequired bool }

type syncKey struct{}

// WithSync returns a context, and the decision about its writes. It can be made until a
// write begins, when what it changes is known.
func WithSync(ctx context.Context) (context.Context, *Sync) {
	s := &Sync{}
	return context.WithValue(ctx, syncKey{}, s), s
}

// Require makes the writes durable.
func (s *Sync) Require() { s.isRequired = true }

// mustSync reports whether a write must be on the disk before it is answered.
func (s *Store) mustSync(ctx context.Context) bool {
	decision, ok := ctx.Value(syncKey{}).(*Sync)
	return ok && decision.isRequired || s.isDurable(ctx)
}
