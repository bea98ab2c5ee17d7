package docker

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/containerd/errdefs"
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

// IsUnreachable reports whether the engine could not be reached: it does not listen,
// closed the connection, or did not answer before the deadline. The command may have
// been carried out. The error of a cancelled context is not of this class.
func IsUnreachable(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) {
		return false
	}
	var netErr net.Error
	return client.IsErrConnectionFailed(err) ||
		errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, errSilent) || errors.Is(err, errClosed) || errors.As(err, &netErr)
}

// classError puts the class of an error into its chain, and keeps its text.
type classError struct {
	error

	class error
}

func (e classError) Unwrap() []error { return []error{e.error, e.class} }

// classified returns err with the class of package engine.
func classified(err error) error {
	switch {
	case err == nil:
	case IsUnreachable(err):
		return classError{err, engine.ErrUnreachable}
	case isShuttingDown(err):
		return classError{err, engine.ErrShuttingDown}
	}
	return err
}

// isShuttingDown reports whether the engine answers that it has no containerd any more, or
// that it has cancelled the work itself. Engines have no status code for it; the words are
// those of grpc-go and of package context.
func isShuttingDown(err error) bool {
	var answer *engineError
	return errors.As(err, &answer) && !errors.Is(err, context.Canceled) &&
		(strings.Contains(answer.words, "grpc: the client connection is closing") ||
			strings.Contains(answer.words, `connection error: desc = "transport: `) ||
			strings.Contains(answer.words, "error reading from server: EOF") ||
			strings.HasSuffix(answer.words, "context canceled"))
}

// classifiedTransfer returns the error of a pull or a push with its class.
func classifiedTransfer(err error) error {
	if err != nil && isUnauthorized(err) {
		return classError{err, errdefs.ErrUnauthenticated}
	}
	return classified(err)
}

// isUnauthorized reports whether a registry refuses the credentials, or needs some. Engines
// have no status code for it; the words are those of distribution and of registries.
func isUnauthorized(err error) bool {
	var answer *engineError
	if !errors.As(err, &answer) {
		return false
	}
	words := strings.ToLower(answer.words)
	return slices.ContainsFunc([]string{
		"unauthorized", "no basic auth credentials", "authentication required", "authorization failed", "access denied",
	}, func(sign string) bool { return strings.Contains(words, sign) })
}
