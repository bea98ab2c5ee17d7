package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/property"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// The exit codes.
const (
	exitDone     = 0
	exitError    = 1
	exitUsage    = 2
	exitRejected = 3 // by the API server's admission
	exitDeadline = 4
	// exitInterrupted is what a shell reports for a process that SIGINT ended.
	exitInterrupted = 130
)

// interruptedError reports a command that a signal ended.
type interruptedError struct {
	// continues is set if the daemon has accepted a change and keeps applying it.
	continues bool
}

func (e *interruptedError) Error() string {
	if e.continues {
		return "interrupted: the operation continues in the background; see 'rdd status'"
	}
	return "interrupted"
}

// usageError reports a command line that is wrong.
type usageError struct {
	message string
}

func (e *usageError) Error() string { return e.message }

// statusError ends the command with an exit code and no message. The command has
// printed everything before.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// exitCode returns the exit code of an error. It is the only place that maps them.
func exitCode(err error) int {
	var (
		status      statusError
		usage       *usageError
		parse       *kong.ParseError
		prop        *property.UsageError
		interrupted *interruptedError
		program     *programError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &program):
		return program.code
	case errors.As(err, &usage), errors.As(err, &parse), errors.As(err, &prop):
		return exitUsage
	case errors.As(err, &interrupted):
		return exitInterrupted
	case rejected(err):
		return exitRejected
	case errors.Is(err, context.DeadlineExceeded):
		return exitDeadline
	default:
		return exitError
	}
}

// rejected reports whether the API server rejected a request: a policy denies it
// (403), or the object would be invalid (422).
func rejected(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err)
}

// report prints err, unless it is nil or a statusError, and returns its exit code.
// The commands in its text get the name of the instance.
func report(out io.Writer, inst instance.Instance, err error) int {
	var (
		status  statusError
		parse   *kong.ParseError
		unknown *unknownCommandError
	)
	switch {
	case err == nil, errors.As(err, &status):
	case errors.As(err, &unknown):
		printWrapped(out, "rdd: "+typeable(err.Error(), inst))
	case errors.As(err, &parse):
		fmt.Fprintf(out, "rdd: %v\nRun \"%s --help\" for usage.\n", err, commandOf(parse))
	default:
		printWrapped(out, "rdd: "+typeable(err.Error(), inst))
	}
	return exitCode(err)
}

// commandOf returns the command that could not be parsed.
func commandOf(parse *kong.ParseError) string {
	if parse.Context != nil {
		if selected := parse.Context.Selected(); selected != nil {
			return commandPath(selected)
		}
	}
	return "rdd"
}

// commandPath returns a command as a user types it. The path of kong also has
// the aliases and arguments.
func commandPath(node *kong.Node) string {
	if node.Parent == nil {
		return "rdd"
	}
	path := commandPath(node.Parent)
	if node.Type == kong.CommandNode {
		path += " " + node.Name
	}
	return path
}
