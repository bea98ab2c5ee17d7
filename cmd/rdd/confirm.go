package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/inventory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// envYes is the environment variable that confirms every command.
const envYes = "RDD_YES"

// confirmation has the flag of commands that destroy data.
type confirmation struct {
	Yes bool `short:"y" help:"Do not ask for confirmation. RDD_YES=1 in the environment does the same."`
}

// given reports whether the flag or the environment confirms the command.
func (c confirmation) given() (bool, error) {
	if c.Yes {
		return true, nil
	}
	value := os.Getenv(envYes)
	switch strings.ToLower(value) {
	case "1", "true", "yes":
		return true, nil
	case "", "0", "false", "no":
		return false, nil
	}
	return false, &usageError{fmt.Sprintf("%s=%s: use 1 or 0", envYes, value)}
}

// loss is what a command destroys.
type loss struct {
	// what begins a sentence that parts complete, such as "this deletes instance "2" with its
	// settings, and". The first letter is small.
	what string
	// parts has a line for each kind of objects, and can be empty.
	parts []string
	// command is the command line without --yes, such as "rdd svc delete".
	command string
}

// confirm returns nil if the flag or the environment confirms the command, or if the
// user does on a terminal. It calls find only if it asks or refuses.
func (s *session) confirm(c confirmation, find func() loss) error {
	given, err := c.given()
	if err != nil || given {
		return err
	}
	l := find()
	if !s.canAsk() {
		what := strings.TrimSpace(l.what + " " + strings.Join(l.parts, "; "))
		return &usageError{fmt.Sprintf("%s: nothing was changed: to confirm, type '%s --yes', or set %s=1 in the environment", what, l.command, envYes)}
	}
	return s.ask(l)
}

// canAsk reports whether a user can see a question and answer it.
func (s *session) canAsk() bool { return isTerminal(s.in) && isTerminal(s.err) }

// ask shows the loss and reads the answer.
func (s *session) ask(l loss) error {
	text := strings.ToUpper(l.what[:1]) + l.what[1:]
	if len(l.parts) > 0 {
		text += ":\n  " + strings.Join(l.parts, "\n  ")
	} else {
		text += "."
	}
	fmt.Fprintf(s.err, "%s\nContinue? [y/N] ", s.typeable(text))
	type line struct {
		text string
		err  error
	}
	answer := make(chan line, 1)
	go func() {
		text, err := bufio.NewReader(s.in).ReadString('\n')
		answer <- line{text, err}
	}()
	select {
	case <-s.ctx.Done():
		fmt.Fprintln(s.err)
		return s.ctx.Err()
	case got := <-answer:
		if got.err != nil && !errors.Is(got.err, io.EOF) {
			return fmt.Errorf("read the answer: %w", got.err)
		}
		switch strings.ToLower(strings.TrimSpace(got.text)) {
		case "y", "yes":
			return nil
		}
	}
	return errors.New("cancelled: nothing was changed")
}

// inventory returns what the removal of a scope destroys.
func (s *session) inventory(scope inventory.Scope) inventory.Contents {
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	subject := inventory.Subject{Instance: s.instance, VM: s.vmPaths(), Engine: s.engine(func(string) {}).find}
	return subject.Inspect(ctx, scope)
}

// mustExist returns an error if the instance does not exist.
func (s *session) mustExist() error {
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	exists, err := s.manager(func(string) {}).Exists(ctx)
	if err != nil {
		return fmt.Errorf("find instance %q: %w", s.instance.Name, err)
	}
	if exists {
		return nil
	}
	list, err := instance.List()
	if err != nil {
		return err
	}
	absent := &missingError{name: s.instance.Name}
	for _, i := range list {
		absent.others = append(absent.others, i.Name)
	}
	return absent
}

// missingError reports an instance that does not exist.
type missingError struct {
	name string
	// others are the names of the instances that exist.
	others []string
}

func (e *missingError) Error() string {
	if len(e.others) == 0 {
		return fmt.Sprintf("instance %q does not exist, and there is no other one: 'rdd start' creates it", e.name)
	}
	return fmt.Sprintf("instance %q does not exist: select one of these with --instance: %s", e.name, strings.Join(e.others, ", "))
}
