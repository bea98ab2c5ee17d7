package main

import (
	"errors"

	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
	"k8s.io/kubectl/pkg/util/term"
)

// terminalFlags are the flags of commands that connect the terminal to a process.
type terminalFlags struct {
	Interactive bool `short:"i" help:"Send the standard input to the process."`
	TTY         bool `short:"t" name:"tty" help:"Allocate a terminal. Standard input must be one."`
}

type execCmd struct {
	terminalFlags
	Name    string   `arg:"" predictor:"container" help:"Name of a container, a prefix of its ID, or the name of its resource."`
	Command []string `arg:"" passthrough:"" help:"Program and its arguments, after --."`
}

// Run implements the command. The exit code is that of the program.
func (c *execCmd) Run(s *session) error {
	command := c.Command
	if len(command) > 0 && command[0] == "--" {
		command = command[1:]
	}
	if len(command) == 0 {
		return &usageError{"exec needs a command: rdd exec NAME -- PROGRAM ARGUMENT…"}
	}
	return c.run(s, c.Name, command)
}

type attachCmd struct {
	terminalFlags
	Name string `arg:"" predictor:"container" help:"Name of a container, a prefix of its ID, or the name of its resource."`
}

// Run implements the command. The exit code is that of the container.
func (c *attachCmd) Run(s *session) error { return c.run(s, c.Name, nil) }

// run connects to a command in a container, or to its main process without one.
func (f terminalFlags) run(s *session, name string, command []string) error {
	if f.TTY && !isTerminal(s.in) {
		return &usageError{"--tty needs a terminal, but standard input is not one: omit --tty"}
	}
	streams, container, err := s.container(name)
	if err != nil {
		return err
	}
	options := remotecommand.StreamOptions{Stdout: s.out, Stderr: s.err, Tty: f.TTY}
	if f.Interactive {
		options.Stdin = s.in
	}
	connect := func() error { return streams.Exec(s.ctx, container, command, options) }
	if !f.TTY {
		return exitedWith(connect())
	}
	options.Stderr = nil // a terminal has one output
	terminal := term.TTY{In: s.in, Out: s.out, Raw: f.Interactive}
	options.TerminalSizeQueue = sizes{terminal.MonitorSize(terminal.GetSize())}
	return exitedWith(terminal.Safe(connect))
}

// sizes are the sizes of a terminal; its queue is nil if they are not known.
type sizes struct{ queue term.TerminalSizeQueue }

// Next implements remotecommand.TerminalSizeQueue.
func (q sizes) Next() *remotecommand.TerminalSize {
	if q.queue == nil {
		return nil
	}
	if size := q.queue.Next(); size != nil {
		return &remotecommand.TerminalSize{Width: size.Width, Height: size.Height}
	}
	return nil
}

// exitedWith returns the error that gives rdd the exit code of a program.
func exitedWith(err error) error {
	if exit, ok := errors.AsType[utilexec.CodeExitError](err); ok {
		return statusError(exit.Code)
	}
	return err
}
