package docker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// framed returns a piece of multiplexed output.
func framed(stream byte, text string) string {
	header := [frameHeader]byte{stream}
	binary.BigEndian.PutUint32(header[4:], uint32(len(text)))
	return string(header[:]) + text
}

func TestDemuxSeparatesStreams(t *testing.T) {
	long := strings.Repeat("0123456789", 30_000) // longer than a read
	input := framed(1, "one\n") + framed(2, "two\n") + framed(1, long) + framed(2, "") + framed(1, "\nthree\n")
	for name, reader := range map[string]io.Reader{
		"at once": strings.NewReader(input), "in single bytes": iotest.OneByteReader(strings.NewReader(input)),
		"in halves": iotest.HalfReader(strings.NewReader(input)), "with the end": iotest.DataErrReader(strings.NewReader(input)),
	} {
		var stdout, stderr bytes.Buffer
		if err := demultiplex(reader, &stdout, &stderr); err != nil || stdout.String() != "one\n"+long+"\nthree\n" || stderr.String() != "two\n" {
			t.Errorf("%s: %d bytes and %q, %v", name, stdout.Len(), stderr.String(), err)
		}
	}
}

// A write for each line would cost more than the line.
func TestDemuxJoinsLinesInOneWrite(t *testing.T) {
	input := strings.Repeat(framed(1, "a line\n")+framed(2, "another line\n"), 100)
	both := &countingWriter{}
	if err := demultiplex(strings.NewReader(input), both, both); err != nil || both.writes > 2 || both.Len() != 100*len("a line\nanother line\n") {
		t.Errorf("%d writes of %d bytes, %v", both.writes, both.Len(), err)
	}
	// An unwanted stream is dropped.
	stdout := &countingWriter{}
	if err := demultiplex(strings.NewReader(input), stdout, nil); err != nil || stdout.String() != strings.Repeat("a line\n", 100) {
		t.Errorf("%q, %v", stdout.String(), err)
	}
}

type countingWriter struct {
	bytes.Buffer
	writes int
}

// Write implements io.Writer.
func (c *countingWriter) Write(p []byte) (int, error) {
	c.writes++
	return c.Buffer.Write(p)
}

func TestDemuxReportsFailures(t *testing.T) {
	for name, c := range map[string]struct {
		input string
		is    error
		words string
	}{
		"within a piece":      {framed(1, "one")[:10], io.ErrUnexpectedEOF, ""},
		"within a header":     {framed(1, "one") + "\x01\x00", io.ErrUnexpectedEOF, ""},
		"error of the engine": {framed(1, "one") + framed(3, "the log driver failed"), nil, "the log driver failed"},
		"unknown header":      {"\x07\x00\x00\x00\x00\x00\x00\x01x", nil, "unknown header"},
	} {
		err := demultiplex(strings.NewReader(c.input), io.Discard, io.Discard)
		if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cause := errors.New("the client has left")
	err := demultiplex(strings.NewReader(framed(1, "one")), iotestWriter{cause}, nil)
	if reader, ok := errors.AsType[sinkError](err); !ok || !errors.Is(reader, cause) {
		t.Errorf("a failed write: %v", err)
	}
}

type iotestWriter struct{ err error }

// Write implements io.Writer.
func (w iotestWriter) Write([]byte) (int, error) { return 0, w.err }

func FuzzDemux(f *testing.F) {
	f.Add([]byte(framed(1, "one")+framed(2, "two")), uint8(3))
	f.Add([]byte("\x03\x00\x00\x00\xff\xff\xff\xff"), uint8(1))
	f.Fuzz(func(t *testing.T, input []byte, size uint8) {
		var once, parts [2]bytes.Buffer
		err := demultiplex(bytes.NewReader(input), &once[0], &once[1])
		again := demultiplex(&chunkReader{input, int(size) + 1}, &parts[0], &parts[1])
		if (err == nil) != (again == nil) || once[0].String() != parts[0].String() || once[1].String() != parts[1].String() {
			t.Errorf("at once %q, %q, %v; in parts %q, %q, %v", once[0].String(), once[1].String(), err, parts[0].String(), parts[1].String(), again)
		}
		if total := once[0].Len() + once[1].Len(); total > len(input) {
			t.Errorf("%d bytes of %d", total, len(input))
		}
	})
}

// chunkReader reads at most size bytes at once.
type chunkReader struct {
	rest []byte
	size int
}

// Read implements io.Reader.
func (r *chunkReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), r.size)], r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// A VM that freezes ends its connections before the watch misses an answer.
func TestCutStreamNamesLostConnection(t *testing.T) {
	for _, cause := range []error{io.ErrUnexpectedEOF, syscall.ECONNRESET} {
		s := stream{ctx: t.Context(), end: func(error) {}, stop: func() bool { return true }}
		out := &output{stream: s, body: io.NopCloser(iotest.ErrReader(cause))}
		err := out.CopyTo(io.Discard, io.Discard)
		if err == nil || !strings.HasPrefix(err.Error(), "the connection to the container engine is lost: ") || !engine.IsUnreachable(err) {
			t.Errorf("%v: got %v, unreachable: %t", cause, err, engine.IsUnreachable(err))
		}
	}
}
