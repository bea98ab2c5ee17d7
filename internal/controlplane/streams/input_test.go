package streams

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// process is a terminal whose process reads its input only when a test does.
type process struct {
	engine.Terminal
	reads  *io.PipeReader
	input  *io.PipeWriter
	closed bool
}

func newTestProcess() *process {
	p := &process{}
	p.reads, p.input = io.Pipe()
	return p
}

func (p *process) Write(data []byte) (int, error) { return p.input.Write(data) }

func (p *process) CloseWrite() error {
	p.closed = true
	return p.input.Close()
}

// A process that does not read its input does not stop the loop that reads the client,
// up to the limit. A process that reads slowly gets all of the input.
func TestFeedReadsAheadOfProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, checks := newTestProcess(), 0
		input, client := io.Pipe()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			feed(p, input, func() error { checks++; return nil })
		}()
		sent, want := make(chan struct{}), bytes.Repeat([]byte("0123456789abcdef"), inputLimit/4)
		go func() {
			defer close(sent)
			if n, err := client.Write(want[:inputLimit]); n != inputLimit || err != nil {
				t.Errorf("sent %d, %v", n, err)
			}
		}()
		<-sent // although the process has read nothing
		if checks != 0 {
			t.Errorf("%d checks of a client whose input was read", checks)
		}
		go func() {
			_, _ = client.Write(want[inputLimit:])
			_ = client.Close()
		}()
		<-time.After(10*checkInterval + checkInterval/2)
		synctest.Wait()
		if checks != 10 {
			t.Errorf("%d checks of a client in 10 intervals", checks)
		}
		var got []byte
		for piece := make([]byte, 50_000); ; <-time.After(checkInterval / 10) {
			n, err := p.reads.Read(piece)
			if got = append(got, piece[:n]...); err != nil {
				break
			}
		}
		if <-ended; !bytes.Equal(got, want) || !p.closed {
			t.Errorf("the process got %d of %d bytes, and the end: %v", len(got), len(want), p.closed)
		}
	})
}

// The end of a client, and the refusal of a process, end the queue when it is full. The
// rest of the input is discarded.
func TestFeedEndsWithClientAndProcess(t *testing.T) {
	for name, test := range map[string]struct {
		check error
		end   func(*process)
	}{
		"client":  {errClientLeft, func(*process) {}},
		"process": {nil, func(p *process) { _ = p.reads.CloseWithError(errors.New("broken pipe")) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newTestProcess()
				input, client := io.Pipe()
				go feed(p, input, func() error { return test.check })
				go func() {
					<-time.After(checkInterval / 2)
					test.end(p)
				}()
				if n, err := client.Write(make([]byte, 4*inputLimit)); n != 4*inputLimit || err != nil {
					t.Errorf("wrote %d, %v", n, err)
				}
				_, _ = client.Close(), p.reads.Close()
				synctest.Wait()
				if p.closed {
					t.Error("an incomplete input was ended like a complete one")
				}
			})
		})
	}
}
