package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/property"
)

// The exit codes.
const (
	exitDone     = 0
	exitError    = 1
	exitUsage    = 2
	exitRejected = 3 // by the API server's admission
	exitDeadline = 4
)

// usageError says that the command line makes no sense.
type usageError struct {
	message string
}

func (e *usageError) Error() string { return e.message }

// statusError ends the command with a code and without a message: what there is
// to say has been said.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// exitCode is the one place where an error becomes an exit code.
func exitCode(err error) int {
	var (
		status statusError
		usage  *usageError
		parse  *kong.ParseError
		prop   *property.UsageError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage), errors.As(err, &parse), errors.As(err, &prop):
		return exitUsage
	case rejected(err):
		return exitRejected
	case errors.Is(err, context.DeadlineExceeded):
		return exitDeadline
	default:
		return exitError
	}
}

// rejected says whether the API server refuses what was asked: a policy says no
// (403), or the object would be invalid (422).
func rejected(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err)
}

// report prints err, if there is something to print, and returns its exit code.
func report(out io.Writer, err error) int {
	var (
		status statusError
		parse  *kong.ParseError
	)
	switch {
	case err == nil, errors.As(err, &status):
	case errors.As(err, &parse):
		fmt.Fprintf(out, "rdd: %v\nRun \"%s --help\" to see what there is.\n", err, commandOf(parse))
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(out, "rdd: interrupted; what was asked for goes on in the background")
	default:
		fmt.Fprintf(out, "rdd: %v\n", err)
	}
	return exitCode(err)
}

func commandOf(parse *kong.ParseError) string {
	if parse.Context != nil {
		if selected := parse.Context.Selected(); selected != nil {
			return commandPath(selected)
		}
	}
	return "rdd"
}

// commandPath is what one types to get to a command: kong's own path has the
// aliases and arguments in it.
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
