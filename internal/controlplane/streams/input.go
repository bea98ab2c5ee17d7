package streams

import (
	"errors"
	"io"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/remotecommand"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

const (
	// inputLimit bounds the input that a process has not read yet. The process's writer
	// holds as much again.
	inputLimit = 256 << 10
	// checkInterval is the interval at which a client is checked while the queue of its
	// input is full.
	checkInterval = time.Second
)

// errInputRefused ends the queue of an input whose process takes no more.
var errInputRefused = errors.New("the process takes no more input")

// feed writes a client's input to a process. One loop reads the connection of a client,
// so feed reads ahead of the process: that loop must apply sizes of the terminal, and
// notice that the client has left. A full queue stops the loop, and so slows the client
// down. Meanwhile check is called, which fails when the client has left.
func feed(terminal engine.Terminal, input io.Reader, check func() error) {
	q := newInputQueue()
	go q.drain(terminal)
	q.fill(input, check)
	// The loop must not wait for a process that takes no more.
	_, _ = io.Copy(io.Discard, input)
}

// clientCheck returns a function that fails when the client of a stream has left. It sends
// an empty message, and calls left when that fails: the system of a client that has closed
// the connection answers with a reset. Input that is not read yet hides any other sign.
func clientCheck(q remoteQuery, channels []io.ReadWriteCloser, left func()) func() error {
	to := channels[remotecommand.StreamErr]
	switch {
	case q.stdout:
		to = channels[remotecommand.StreamStdOut]
	case q.stderr:
		to = channels[remotecommand.StreamStdErr]
	}
	return func() error {
		_, err := to.Write(nil)
		if err != nil {
			left()
		}
		return err
	}
}

// inputQueue is a bounded queue of bytes between one reader and one writer.
type inputQueue struct {
	mutex sync.Mutex
	data  []byte
	// err is set at the end of the input: io.EOF, or why it ended early.
	err error

	// filled and taken are signalled when the queue has got data or space.
	filled, taken chan struct{}
	// refused is closed when the process takes no more.
	refused chan struct{}
}

func newInputQueue() *inputQueue {
	return &inputQueue{filled: make(chan struct{}, 1), taken: make(chan struct{}, 1), refused: make(chan struct{})}
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // is signalled already
	}
}

// fill moves input to the queue until the input ends, the process takes no more, or the
// client has left.
func (q *inputQueue) fill(input io.Reader, check func() error) {
	piece := make([]byte, 32<<10)
	for {
		n, err := input.Read(piece)
		if putErr := q.put(piece[:n], check); putErr != nil {
			err = putErr
		}
		if err != nil {
			q.end(err)
			return
		}
	}
}

// put adds p, and waits for space.
func (q *inputQueue) put(p []byte, check func() error) error {
	p = q.add(p)
	if len(p) == 0 {
		return nil
	}
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for len(p) > 0 {
		select {
		case <-q.taken:
			p = q.add(p)
		case <-q.refused:
			return errInputRefused
		case <-ticker.C:
			if err := check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds as much of p as there is space for, and returns the rest.
func (q *inputQueue) add(p []byte) (rest []byte) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	n := min(len(p), inputLimit-len(q.data))
	q.data = append(q.data, p[:n]...)
	signal(q.filled)
	return p[n:]
}

func (q *inputQueue) end(err error) {
	q.mutex.Lock()
	defer q.mutex.Unlock()
	q.err = err
	signal(q.filled)
}

// drain moves the queue to the process. It closes the process's input after the end of a
// client's.
func (q *inputQueue) drain(terminal engine.Terminal) {
	defer close(q.refused)
	var data []byte
	for {
		var end error
		if data, end = q.take(data); len(data) > 0 {
			if _, err := terminal.Write(data); err != nil {
				return
			}
		}
		if errors.Is(end, io.EOF) {
			_ = terminal.CloseWrite() // the process may have ended
		}
		if end != nil {
			return
		}
	}
}

// take waits for data and returns all of it. The queue continues with the buffer spare.
// The error is set at the end of the input, also together with the last data.
func (q *inputQueue) take(spare []byte) (data []byte, end error) {
	for {
		q.mutex.Lock()
		data, q.data = q.data, spare[:0]
		end = q.err
		q.mutex.Unlock()
		if len(data) > 0 || end != nil {
			signal(q.taken)
			return data, end
		}
		spare = data
		<-q.filled
	}
}
