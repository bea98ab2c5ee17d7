package dockercontext

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// Selection says when a context becomes the current one.
type Selection int

const (
	// SelectIfNeeded selects the context if the current one is missing or its engine does
	// not answer.
	SelectIfNeeded Selection = iota
	// SelectAlways selects the context.
	SelectAlways
	// SelectNever keeps the current context.
	SelectNever
)

// Result is what Ensure did, and which engine docker uses now.
type Result struct {
	Name string
	// Written is set if the context was created, or its address was changed.
	Written bool
	// Replaced is the former current context, if this one became the current one, and
	// IsReplacedMissing is set if it did not exist.
	Replaced          string
	IsReplacedMissing bool
	// Current is the current context, and CurrentHost the address of its engine; empty if
	// they are not known.
	Current, CurrentHost string
}

// Ensure creates or updates the context of an instance for the engine at host, and
// makes it the current one as selection says. answers probes another engine. It returns
// a *ForeignError, and changes nothing, for a context of this name that is not rdd's.
// If only the current context cannot be read or changed, the context is written, and
// the error says why.
func (c Config) Ensure(ctx context.Context, inst instance.Instance, host string, selection Selection, answers func(context.Context, string) bool) (Result, error) {
	result := Result{Name: Name(inst)}
	found, err := c.Context(result.Name)
	isMissing := errors.Is(err, fs.ErrNotExist)
	switch {
	case err != nil && !isMissing:
		return result, err
	case !isMissing && !found.BelongsTo(inst):
		return result, &ForeignError{Name: found.Name, Host: found.Host}
	}
	if isMissing || found.Host != host {
		if err := c.write(contextFor(inst, host), fmt.Sprintf("rdd, instance %q", inst.Name)); err != nil {
			return result, err
		}
		result.Written = true
	}
	return result, c.selectFor(ctx, &result, host, selection, answers)
}

// selectFor makes the context of result the current one as selection says, and completes
// result.
func (c Config) selectFor(ctx context.Context, result *Result, host string, selection Selection, answers func(context.Context, string) bool) error {
	before, err := c.Current()
	if err != nil {
		return err
	}
	current, contextErr := c.Context(before)
	result.Current, result.CurrentHost = before, current.Host
	if before == result.Name || !selects(ctx, selection, current, contextErr, host, answers) {
		return nil
	}
	expected := before
	if selection == SelectAlways {
		expected = ""
	}
	if result.Current, err = c.Select(result.Name, expected); err != nil {
		return err
	}
	if current, err = c.Context(result.Current); err == nil {
		result.CurrentHost = current.Host
	}
	if result.Current == result.Name {
		result.Replaced, result.IsReplacedMissing = before, errors.Is(contextErr, fs.ErrNotExist)
	}
	return nil
}

// selects reports whether the context for the engine at host becomes the current one. err
// is why the current context cannot be read.
func selects(ctx context.Context, selection Selection, current Context, err error, host string, answers func(context.Context, string) bool) bool {
	switch selection {
	case SelectAlways:
		return true
	case SelectNever:
		return false
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true
	case err != nil, current.Host == "", SameHost(current.Host, host):
		return false
	}
	return !answers(ctx, current.Host)
}

// Withdraw removes the context of an instance, if it belongs to the instance.
func (c Config) Withdraw(inst instance.Instance) (removed bool, err error) {
	found, err := c.Context(Name(inst))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !found.BelongsTo(inst) {
		return false, err
	}
	return true, c.Remove(found.Name)
}
