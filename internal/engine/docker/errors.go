package docker

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/moby/moby/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// clientPrefix is what moby's client writes in front of the engine's words.
const clientPrefix = "Error response from daemon: "

// maxWords is how many bytes of the engine's words are kept: users read them in a
// condition, which holds 32768 characters.
const maxWords = 8 << 10

// engineError is an error of moby's client with shorter words.
type engineError struct {
	words string
	cause error
}

func (e *engineError) Error() string { return e.words }
func (e *engineError) Unwrap() error { return e.cause }

// refused returns an error with the engine's words and nothing else: users read it in
// a condition.
func refused(err error) error {
	if err == nil {
		return nil
	}
	words := toValidUTF8(strings.TrimPrefix(err.Error(), clientPrefix))
	if len(words) > maxWords {
		words = strings.ToValidUTF8(words[:maxWords], "") + "…"
	}
	return &engineError{words: words, cause: err}
}

// failed returns an error that also names the operation.
func failed(doing string, err error) error {
	return &engineError{words: doing + ": " + refused(err).Error(), cause: err}
}

// backendSigns returns words of an engine that cannot work on, although it still answers: it
// is shutting down, or its containerd has ended. Engines have no status code for it; the
// words are those of grpc-go's ErrClientConnClosing, of its transport, and of a context
// that the engine itself has cancelled.
func backendSigns() []string {
	return []string{
		"grpc: the client connection is closing",
		`connection error: desc = "transport: `,
		"error reading from server: EOF",
		"context canceled",
	}
}

// hasLostBackend reports whether the engine answers that it cannot work on.
func hasLostBackend(err error) bool {
	var answer *engineError
	return errors.As(err, &answer) && slices.ContainsFunc(backendSigns(), func(sign string) bool {
		return strings.Contains(answer.words, sign)
	})
}

// IsUnreachable reports whether the engine could not be reached: it does not listen,
// closed the connection, did not answer before the deadline, or is shutting down. The
// command may have been carried out. The error of a cancelled context is not of this
// class.
func IsUnreachable(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	var netErr net.Error
	return client.IsErrConnectionFailed(err) ||
		errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, errSilent) || errors.Is(err, errClosed) || errors.As(err, &netErr) ||
		hasLostBackend(err)
}

// unreachableError puts engine.ErrUnreachable into the chain of an error, and keeps
// its text.
type unreachableError struct{ error }

func (e unreachableError) Unwrap() []error { return []error{e.error, engine.ErrUnreachable} }

// classified returns err with the class of package engine.
func classified(err error) error {
	if IsUnreachable(err) {
		return unreachableError{err}
	}
	return err
}
