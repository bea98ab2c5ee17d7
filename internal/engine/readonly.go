package engine

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ReadOnly returns an engine that can be watched and read. It refuses Do and Restart with
// the text why, for users.
func ReadOnly(e Engine, why string) Engine { return readOnly{Engine: e, why: errors.New(why)} }

type readOnly struct {
	Engine

	why error
}

// Do implements Engine.
func (r readOnly) Do(context.Context, Key, Verb) error { return r.why }

// Restart implements Engine.
func (r readOnly) Restart(context.Context, Key, *metav1.MicroTime) error { return r.why }
