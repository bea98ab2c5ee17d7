package engine

import (
	"context"
	"io"
	"time"
)

// Streamer opens streams of containers, which are named by their full ID.
//
// A context bounds the whole stream, and needs no deadline: an engine that does not
// answer ends the opening after 30 s. When the context ends, when the engine is closed or
// becomes unreachable, the stream ends with an error that has the cause. The caller closes
// what was opened. A stream holds one connection to the engine and a buffer of at most
// 64 KiB.
type Streamer interface {
	// Log opens the log of a container. The log of one that never started is empty. With
	// Follow it ends when the container does.
	Log(ctx context.Context, id string, opts LogOptions) (Output, error)

	// Exec starts a command in a container that runs. The engine refuses others, in its
	// own words. A command that cannot be executed is no error here: the engine writes
	// its words to the output, and the exit code is 126 or 127.
	Exec(ctx context.Context, id string, opts ExecOptions) (Terminal, error)

	// Attach connects to the streams of a container's main process. Close leaves the
	// process running. CloseWrite ends the input of the process only if the container
	// was created so; otherwise it changes nothing.
	Attach(ctx context.Context, id string, opts AttachOptions) (Terminal, error)

	// Stats calls sink with a reading once a second, or with a single one, until sink
	// fails or the container ends, which is no error. A container that does not run is a
	// conflict.
	Stats(ctx context.Context, id string, once bool, sink func(Stats) error) error
}

// Output is an open stream of output. Its methods are not safe for concurrent use, but
// for Close.
type Output interface {
	// CopyTo writes the output until it ends. Each write has as much as has arrived, at
	// most 64 KiB, so that a caller can flush after each. When both writers are the same,
	// the output of both streams is joined in one write. A terminal has no stderr. A
	// failed write ends it with its error.
	CopyTo(stdout, stderr io.Writer) error
	Close() error
}

// Terminal is an open connection to the streams of a process. All methods are safe for
// concurrent use, but for two calls of CopyTo, or of Write.
type Terminal interface {
	Output
	// Write writes to the standard input of the process.
	io.Writer
	// CloseWrite ends the standard input of the process, which can continue to write.
	CloseWrite() error
	// Resize sets the size of the process's terminal.
	Resize(ctx context.Context, size TerminalSize) error
	// Wait returns the exit code of the process. It is called after CopyTo.
	Wait(ctx context.Context) (exitCode int, err error)
}

// LogOptions select a part of a log.
type LogOptions struct {
	Stdout, Stderr bool
	// Follow continues with what the container writes from now on.
	Follow bool
	// Timestamps puts the time (RFC 3339, nanoseconds) and a space before each line.
	Timestamps bool
	// Tail is the number of lines at the end; nil is all. The lines of both streams
	// count, also when one is selected.
	Tail *int64
	// Since is the time of the first line; zero is that of the first of all. Engines
	// count in their own clock.
	Since time.Time
}

// ExecOptions describe a command.
type ExecOptions struct {
	// Command is the program and its arguments. It is not passed to a shell.
	Command               []string
	Stdin, Stdout, Stderr bool
	// TTY gives the command a terminal, which has no stderr.
	TTY bool
	// Size of the terminal at the start; zero is the engine's choice.
	Size TerminalSize
}

// AttachOptions select the streams to connect. Whether there is a terminal is the
// container's property.
type AttachOptions struct {
	Stdin, Stdout, Stderr bool
}

// TerminalSize is the size of a terminal in characters.
type TerminalSize struct{ Width, Height uint16 }

// Stats are the resources that a container uses, at one moment.
type Stats struct {
	// Time of the reading, by the engine's clock.
	Time    time.Time    `json:"time"`
	CPU     CPUStats     `json:"cpu"`
	Memory  MemoryStats  `json:"memory"`
	Network NetworkStats `json:"network"`
	BlockIO BlockIOStats `json:"blockIO"`
	// PIDs is the number of processes and threads.
	PIDs uint64 `json:"pids"`
}

// CPUStats is the use of processors.
type CPUStats struct {
	// UsageCoreNanoSeconds is the time that was used since the container started, in
	// nanoseconds, summed up over all cores.
	UsageCoreNanoSeconds uint64 `json:"usageCoreNanoSeconds"`
	// UsageNanoCores is the use in the last second; 1,000,000,000 is one core.
	UsageNanoCores uint64 `json:"usageNanoCores"`
	// OnlineCores is the number of cores that the container can use.
	OnlineCores uint32 `json:"onlineCores"`
}

// MemoryStats is the use of memory.
type MemoryStats struct {
	// UsageBytes is what the container uses, without the cache of files that the kernel
	// can reclaim.
	UsageBytes uint64 `json:"usageBytes"`
	// LimitBytes is the container's limit, or the memory of the engine's machine.
	LimitBytes uint64 `json:"limitBytes"`
}

// NetworkStats counts since the container started, summed up over its networks.
type NetworkStats struct {
	ReceivedBytes      uint64 `json:"receivedBytes"`
	ReceivedPackets    uint64 `json:"receivedPackets"`
	TransmittedBytes   uint64 `json:"transmittedBytes"`
	TransmittedPackets uint64 `json:"transmittedPackets"`
}

// BlockIOStats counts bytes that were read from and written to block devices since the
// container started.
type BlockIOStats struct {
	ReadBytes  uint64 `json:"readBytes"`
	WriteBytes uint64 `json:"writeBytes"`
}
