package memory

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// shell runs the few commands that the engine has: busybox, sh, echo, cat, seq, yes,
// sleep, stty size, true, false and exit. A script is a list of commands between
// semicolons or line ends, with quotes, and >&2 at the end of a command.
type shell struct {
	ctx            context.Context
	stdin          *bufio.Reader
	stdout, stderr io.Writer
	// size of the terminal; nil without one.
	size func() engine.TerminalSize
}

// Exit codes of commands that cannot be executed.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// builtins are the commands that a shell runs.
func builtins() []string {
	return []string{"sh", "echo", "cat", "seq", "yes", "sleep", "stty", "true", "false", "exit"}
}

// IsRunnable reports whether a command is a script of commands that the engine has. It
// runs only these, because most containers of tests only exist.
func IsRunnable(command []string) bool {
	if len(command) > 0 && path.Base(command[0]) == "busybox" {
		command = command[1:]
	}
	if len(command) == 1 {
		return command[0] == "cat" || command[0] == "sh"
	}
	if len(command) != 3 || command[0] != "sh" || command[1] != "-c" {
		return false
	}
	for _, words := range parseScript(command[2]) {
		if words = program(words); len(words) == 0 || words[0] == "yes" || !slices.Contains(builtins(), words[0]) {
			return false
		}
	}
	return true
}

// program returns a command without busybox before it.
func program(words []string) []string {
	if len(words) > 1 && path.Base(words[0]) == "busybox" {
		return words[1:]
	}
	return words
}

// run runs a command that the engine starts, and returns its exit code. Like dockerd, it
// writes an unknown program to the output.
func (s *shell) run(command []string) int {
	words := program(command)
	if len(words) == 0 || !slices.Contains(builtins(), words[0]) || words[0] == "exit" {
		fmt.Fprintf(s.stdout, "OCI runtime exec failed: exec failed: unable to start container process: exec: %q: executable file not found in $PATH: unknown\r\n", command[0])
		return exitNotFound
	}
	code, _ := s.command(words)
	return code
}

// script runs the commands of a script.
func (s *shell) script(text string) (code int, isExit bool) {
	for _, words := range parseScript(text) {
		if code, isExit = s.command(words); isExit || s.ctx.Err() != nil {
			return code, isExit
		}
	}
	return code, false
}

// command runs one command. isExit is set for exit, which ends the script.
func (s *shell) command(words []string) (code int, isExit bool) {
	out := s.stdout
	if words[len(words)-1] == ">&2" {
		out, words = s.stderr, words[:len(words)-1]
	}
	words = program(words)
	if len(words) == 0 {
		return 0, false
	}
	args := words[1:]
	var err error
	switch words[0] {
	case "exit":
		code, _ = strconv.Atoi(strings.Join(args, ""))
		return code, true
	case "sh":
		return s.sh(args), false
	case "true":
	case "false":
		return 1, false
	case "echo":
		_, err = io.WriteString(out, strings.Join(args, " ")+"\n")
	case "cat":
		_, err = io.Copy(out, s.stdin)
	case "seq":
		err = s.sequence(out, args)
	case "yes":
		err = s.repeat(out, strings.Join(append(args, "\n")[:max(1, len(args))], " "))
	case "sleep":
		s.sleep(args)
	case "stty":
		return s.stty(out), false
	default:
		fmt.Fprintf(s.stderr, "sh: %s: not found\n", words[0])
		return exitNotFound, false
	}
	switch {
	case s.ctx.Err() != nil:
		return exitKilled, false
	case err != nil:
		return 1, false
	}
	return 0, false
}

// sh runs a script, or the lines of the standard input.
func (s *shell) sh(args []string) int {
	if len(args) == 2 && args[0] == "-c" {
		code, _ := s.script(args[1])
		return s.killedOr(code)
	}
	for {
		line, err := s.stdin.ReadString('\n')
		if code, isExit := s.script(line); isExit || err != nil {
			return s.killedOr(code)
		}
	}
}

func (s *shell) killedOr(code int) int {
	if s.ctx.Err() != nil {
		return exitKilled
	}
	return code
}

func (s *shell) sequence(out io.Writer, args []string) error {
	first, last := 1, 0
	if len(args) > 1 {
		first, _ = strconv.Atoi(args[0])
	}
	if len(args) > 0 {
		last, _ = strconv.Atoi(args[len(args)-1])
	}
	for i := first; i <= last; i++ {
		if _, err := io.WriteString(out, strconv.Itoa(i)+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// repeat writes a line, in blocks, until that fails.
func (s *shell) repeat(out io.Writer, line string) error {
	if line == "\n" {
		line = "y"
	}
	block := []byte(strings.Repeat(line+"\n", 64))
	for {
		if _, err := out.Write(block); err != nil {
			return err
		}
	}
}

func (s *shell) sleep(args []string) {
	seconds := math.Inf(1)
	if len(args) == 1 && args[0] != "infinity" {
		seconds, _ = strconv.ParseFloat(args[0], 64)
	}
	var over <-chan time.Time
	if seconds < math.MaxInt32 {
		over = time.After(time.Duration(seconds * float64(time.Second)))
	}
	select {
	case <-over:
	case <-s.ctx.Done():
	}
}

func (s *shell) stty(out io.Writer) int {
	if s.size == nil {
		fmt.Fprintln(s.stderr, "stty: standard input: Not a tty")
		return 1
	}
	size := s.size()
	fmt.Fprintf(out, "%d %d\n", size.Height, size.Width)
	return 0
}

// parseScript returns the words of each command.
func parseScript(text string) (commands [][]string) {
	var words []string
	var word strings.Builder
	var quote rune
	hasWord := false
	endWord := func() {
		if hasWord {
			words = append(words, word.String())
		}
		word.Reset()
		hasWord = false
	}
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, hasWord = r, true
		case r == ';' || r == '\n' || r == '\r':
			endWord()
			if len(words) > 0 {
				commands = append(commands, words)
			}
			words = nil
		case r == ' ' || r == '\t':
			endWord()
		default:
			word.WriteRune(r)
			hasWord = true
		}
	}
	endWord()
	if len(words) > 0 {
		commands = append(commands, words)
	}
	return commands
}
