package docker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The engine multiplexes the output of a process without a terminal: a header of eight
// bytes, with the stream and a length, precedes each piece, which is often one line.
// https://docs.docker.com/reference/api/engine/ describes it at "Attach to a container".
const (
	frameHeader = 8

	frameStdin  = 0
	frameStdout = 1
	frameStderr = 2
	// frameError is an error of the engine itself.
	frameError = 3
)

// The size of a read, and so of a write, grows with the output: most followers of a log
// wait for single lines.
const (
	minBuffer = 4 << 10
	maxBuffer = 64 << 10
)

// grown returns a buffer of twice the size if a read has filled the buffer.
func grown(buffer []byte, n int) []byte {
	if n < len(buffer) || n >= maxBuffer {
		return buffer
	}
	larger := make([]byte, 2*len(buffer))
	copy(larger, buffer)
	return larger
}

// copyRaw writes output that is not multiplexed.
func copyRaw(in io.Reader, to io.Writer) error {
	buffer := make([]byte, minBuffer)
	for {
		n, err := in.Read(buffer)
		if n > 0 && to != nil {
			if _, err := (sink{to}).Write(buffer[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		buffer = grown(buffer, n)
	}
}

// demux writes multiplexed output to two writers until its end. It joins the pieces of
// one read: a write for each line would cost more than the lines. With the same writer
// for both streams, it joins the pieces of both.
type demux struct {
	in  io.Reader
	out [4]io.Writer

	buffer []byte
	// stream and left are of the piece that is being read.
	stream byte
	left   int
	// words are those of an error of the engine.
	words []byte
}

func demultiplex(in io.Reader, stdout, stderr io.Writer) error {
	d := &demux{in: in, buffer: make([]byte, minBuffer), out: [4]io.Writer{frameStdin: stdout, frameStdout: stdout, frameStderr: stderr}}
	held := 0 // a part of a header that was read
	for {
		n, err := in.Read(d.buffer[held:])
		rest, writeErr := d.write(d.buffer[:held+n])
		switch {
		case writeErr != nil:
			return writeErr
		case errors.Is(err, io.EOF):
			return d.ended(len(rest))
		case err != nil:
			return err
		}
		copied := copy(d.buffer, rest)
		d.buffer = grown(d.buffer, held+n)
		held = copied
	}
}

// write writes the pieces of what was read, and returns a header that is incomplete. It
// moves the pieces over the headers between them.
func (d *demux) write(read []byte) (rest []byte, err error) {
	begin, end := 0, 0 // what is to be written to the writer of stream
	var to io.Writer
	flush := func() error {
		if end == begin || to == nil {
			begin = end
			return nil
		}
		_, err := sink{to}.Write(read[begin:end])
		begin = end
		return err
	}
	for at := 0; at < len(read); {
		if d.left == 0 {
			if len(read)-at < frameHeader {
				rest = read[at:]
				break
			}
			if err := d.header(read[at : at+frameHeader]); err != nil {
				return nil, errors.Join(flush(), err)
			}
			at += frameHeader
			continue
		}
		piece := read[at:min(at+d.left, len(read))]
		at += len(piece)
		d.left -= len(piece)
		if d.stream == frameError {
			d.words = append(d.words, piece[:min(len(piece), maxWords-len(d.words))]...)
			continue
		}
		if d.out[d.stream] != to {
			if err := flush(); err != nil {
				return nil, err
			}
			to = d.out[d.stream]
		}
		end += copy(read[end:], piece)
	}
	return rest, flush()
}

func (d *demux) header(header []byte) error {
	stream, left := header[0], binary.BigEndian.Uint32(header[4:])
	if stream > frameError || header[1] != 0 || header[2] != 0 || header[3] != 0 || left > 1<<30 {
		return fmt.Errorf("the engine sent an unknown header in a stream: % x", header)
	}
	d.stream, d.left = stream, int(left)
	return nil
}

// ended returns the error of a stream that ended with this many bytes of a header.
func (d *demux) ended(held int) error {
	switch {
	case len(d.words) > 0:
		return refused(errors.New(string(d.words)))
	case held > 0 || d.left > 0:
		return io.ErrUnexpectedEOF
	}
	return nil
}
