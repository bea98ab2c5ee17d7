package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
)

// logEnd begins the line by which the daemon ends a log that it cannot continue.
const logEnd = "rdd: the log ends here"

// sequence checks the lines of the speaker's log that one client gets.
type sequence struct {
	run    string
	number int
	// isEnded is set once the daemon has said why the log ends.
	isEnded bool
}

// add says what is wrong with the next line. The lines of a run follow each other, and
// another run begins with the first one.
func (s *sequence) add(line string) string {
	if strings.HasPrefix(line, logEnd) {
		s.isEnded = true
		return ""
	}
	run, text, _ := strings.Cut(line, " ")
	number, err := strconv.Atoi(text)
	want := 1
	if run == s.run {
		want = s.number + 1
	}
	isFirst := s.run == ""
	s.run, s.number = run, number
	switch {
	case err != nil:
		return fmt.Sprintf("it has the line %q", line)
	case number != want && !isFirst:
		return fmt.Sprintf("line %d of run %s came instead of %d", number, run, want)
	}
	return ""
}

// follow follows the log until it ends.
func (s *streams) follow(ctx context.Context, random *rand.Rand) error {
	config, address, err := s.config("log?" + url.Values{"follow": {"true"}, "tailLines": {strconv.Itoa(random.IntN(20))}}.Encode())
	if err != nil {
		return err
	}
	ctx, one := s.begin(ctx, "the log", true)
	response, err := open(ctx, config, address)
	if err != nil {
		s.end(one, false, "", err)
		return err
	}
	defer response.Body.Close()
	var lines sequence
	wrong := ""
	reader := bufio.NewReader(response.Body)
	for {
		var line string
		if line, err = reader.ReadString('\n'); err != nil {
			break // the rest is no whole line
		}
		if found := lines.add(strings.TrimSuffix(line, "\n")); wrong == "" {
			wrong = found
		}
		s.mu.Lock()
		one.received = time.Now()
		s.lines++
		s.mu.Unlock()
	}
	if errors.Is(err, io.EOF) && !lines.isEnded && wrong == "" {
		wrong = s.endedEarly(ctx, one)
	}
	ended := err
	if errors.Is(err, io.EOF) && !lines.isEnded {
		ended = nil // the container has ended
	}
	s.end(one, true, wrong, ended)
	return err
}

// endedEarly says that the container still has the run at the beginning of a log which ended
// without a reason.
func (s *streams) endedEarly(ctx context.Context, one *stream) string {
	ctx, cancel := context.WithTimeout(ctx, operationTimeout)
	defer cancel()
	var is struct {
		State struct{ Status, StartedAt string }
	}
	if err := s.engine.Call(ctx, http.MethodGet, "/containers/"+speakerName+"/json", nil, &is); err != nil {
		return "" // the engine is down
	}
	at, err := time.Parse(time.RFC3339Nano, is.State.StartedAt)
	if err == nil && is.State.Status == running && at.Before(one.began) {
		return "it ended without a reason, and the container runs since " + clock(at)
	}
	return ""
}

// program is what exec runs, with the output and the exit code that it must have.
type program struct {
	text, input, output string
	code                int
}

// drawProgram draws one that counts, or one that repeats its input.
func drawProgram(random *rand.Rand) program {
	p := program{code: random.IntN(5)}
	lines := 1 + random.IntN(300)
	isEcho := random.IntN(3) == 0
	var in, out strings.Builder
	for i := 1; i <= lines; i++ {
		fmt.Fprintf(&in, "%d\n", i)
		fmt.Fprintf(&out, "line %d\n", i)
	}
	p.output = out.String()
	p.text = fmt.Sprintf(`i=0; while [ $i -lt %d ]; do i=$((i+1)); echo line $i; [ $((i %% 20)) -ne 0 ] || sleep 0.05; done; exit %d`, lines, p.code)
	if isEcho {
		p.input = in.String()
		p.text = fmt.Sprintf(`while read x; do echo line $x; done; exit %d`, p.code)
	}
	return p
}

// exec runs a program in the speaker.
func (s *streams) exec(ctx context.Context, random *rand.Rand) error {
	p := drawProgram(random)
	query := url.Values{"command": {"/bin/sh", "-c", p.text}, "stdout": {"true"}, "stderr": {"false"}}
	var stdout bytes.Buffer
	options := remotecommand.StreamOptions{Stdout: &stdout}
	if p.input != "" {
		query.Set("stdin", "true")
		options.Stdin = strings.NewReader(p.input)
	}
	config, address, err := s.config("exec?" + query.Encode())
	if err != nil {
		return err
	}
	executor, err := remotecommand.NewWebSocketExecutor(config, http.MethodGet, address)
	if err != nil {
		return fmt.Errorf("prepare an exec: %w", err)
	}
	ctx, one := s.begin(ctx, fmt.Sprintf("an exec (%d bytes of input)", len(p.input)), false)
	err = executor.StreamWithContext(ctx, options)
	wrong := p.judge(stdout.String(), err, s.ledger.disturbed(one.began, time.Now()))
	if _, ok := errors.AsType[utilexec.CodeExitError](err); ok {
		err = nil
	}
	s.end(one, err == nil || stdout.Len() > 0, wrong, err)
	return err
}

const (
	// unstarted is the lowest exit code of a program that the engine could not start.
	unstarted = 125
	// killed is that of one that was killed.
	killed = 137
)

// judge says what is wrong with the output and the end of a program; it is empty if nothing
// is. The protocol of the engine has no mark at the end of the output, so a connection that
// is cut just when the program ends has less output than it wrote.
func (p program) judge(output string, err error, isDisturbed bool) string {
	code, hasEnded := 0, err == nil
	if exit, ok := errors.AsType[utilexec.CodeExitError](err); ok {
		code, hasEnded = exit.Code, true
	}
	// The engine writes into the output why it could not start the program.
	isUnstarted := !strings.HasPrefix(output, "line ") && (!hasEnded || code >= unstarted)
	switch {
	case isUnstarted:
	case !strings.HasPrefix(p.output, output):
		return fmt.Sprintf("its output is %q, and not %q", shorten(output), shorten(p.output))
	case code == killed && isDisturbed: // with its container
	case hasEnded && code != p.code:
		return fmt.Sprintf("its exit code is %d, and not %d", code, p.code)
	case hasEnded && output != p.output && !isDisturbed:
		return fmt.Sprintf("it has ended after %d of %d bytes of its output", len(output), len(p.output))
	}
	return ""
}

// shorten returns the beginning and the end of a text.
func shorten(text string) string {
	const part = 200
	if len(text) <= 2*part {
		return text
	}
	return text[:part] + " … " + text[len(text)-part:]
}

// open sends a GET request, whose answer has no deadline. The caller closes its body.
func open(ctx context.Context, config *rest.Config, address string) (*http.Response, error) {
	config.Timeout = 0
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("create a client: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", address, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", address, err)
	}
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		return nil, fmt.Errorf("GET %s: %s: %s", address, response.Status, text)
	}
	return response, nil
}

// get returns the answer to a GET request.
func get(ctx context.Context, config *rest.Config, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	response, err := open(ctx, config, address)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("GET %s: %w", address, err)
	}
	return string(text), nil
}
