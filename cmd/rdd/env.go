package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/dockercontext"
)

const kubeconfigVariable = "KUBECONFIG"

type envCmd struct {
	Shell string `enum:"auto,bash,zsh,fish,json" default:"auto" help:"bash, zsh, fish or json; auto is the one in $$SHELL."`
	Unset bool   `short:"u" help:"Print the commands that unset the variables."`
}

// Run implements the command. It works without a daemon.
func (c *envCmd) Run(s *session) error {
	shell := c.Shell
	if shell == "auto" {
		shell = shellOf(os.Getenv("SHELL"))
	}
	variables := []variable{{name: dockerHostVariable}, {name: kubeconfigVariable}}
	if !c.Unset {
		var err error
		if variables, err = s.environment(); err != nil {
			return err
		}
	}
	text, err := shellCommands(shell, variables)
	if err != nil {
		return err
	}
	_, err = io.WriteString(s.out, text)
	if err == nil && isTerminal(s.out) && shell != "json" {
		fmt.Fprintf(s.err, "To set them in this shell: %s\n", evalCommand(shell, s.typeable("'rdd env'")))
	}
	return err
}

// shellOf returns the kind of a shell by its path. Other shells than fish understand the
// commands of bash.
func shellOf(path string) string {
	switch name := filepath.Base(path); name {
	case "fish", "zsh":
		return name
	}
	return "bash"
}

// evalCommand returns the command with which a shell sets what a quoted command prints.
func evalCommand(shell, quoted string) string {
	command := strings.Trim(quoted, "'")
	if shell == "fish" {
		return command + " | source"
	}
	return `eval "$(` + command + `)"`
}

// variable is a variable of the environment. One without a value is unset.
type variable struct {
	name, value string
}

// shellCommands returns the commands of a shell that set and unset variables.
func shellCommands(shell string, variables []variable) (string, error) {
	if shell == "json" {
		object := map[string]*string{}
		for _, v := range variables {
			object[v.name] = nil
			if v.value != "" {
				object[v.name] = &v.value
			}
		}
		text, err := json.MarshalIndent(object, "", "  ")
		return string(text) + "\n", err
	}
	var text strings.Builder
	for _, v := range variables {
		switch {
		case shell == "fish" && v.value == "":
			fmt.Fprintf(&text, "set -e %s\n", v.name)
		case shell == "fish":
			fmt.Fprintf(&text, "set -gx %s %s\n", v.name, fishQuoted(v.value))
		case v.value == "":
			fmt.Fprintf(&text, "unset %s\n", v.name)
		default:
			fmt.Fprintf(&text, "export %s=%s\n", v.name, shellQuoted(v.value))
		}
	}
	return text.String(), nil
}

// fishQuoted returns text as one word for fish, in which a backslash escapes a quote and
// itself between quotes.
func fishQuoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// environment returns the variables with which other programs use this engine and its
// API. Without a daemon, it has the addresses of the last start.
func (s *session) environment() ([]variable, error) {
	app, err := s.runningApp()
	switch _, stopped := errors.AsType[*client.NoDaemonError](err); {
	case stopped:
		s.note(s.err, "the engine is stopped: start it with 'rdd start'")
	case err != nil:
		s.noteError(fmt.Errorf("the daemon does not answer, so these are the usual addresses: %w", err))
	case !app.Spec.Running:
		s.note(s.err, "the engine is stopped: start it with 'rdd start'")
	}
	host, err := s.environmentHost(app)
	if err != nil {
		s.noteError(fmt.Errorf("%s is not set for this engine: %w", dockerHostVariable, err))
	}
	config, err := s.environmentConfig(app)
	if err != nil {
		return nil, err
	}
	return environmentOf(host, config, os.Getenv), nil
}

// environmentOf returns the variables. Those of TLS are unset, because docker would use
// TLS for this engine too.
func environmentOf(host, config string, getenv func(string) string) []variable {
	var variables []variable
	if host != "" {
		variables = append(variables, variable{dockerHostVariable, host})
		for _, name := range tlsVariables() {
			if getenv(name) != "" {
				variables = append(variables, variable{name: name})
			}
		}
	}
	return append(variables, variable{kubeconfigVariable, config})
}

// tlsVariables are the variables with which docker uses TLS.
func tlsVariables() []string { return []string{"DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"} }

// environmentHost returns the address of the engine for docker. Without an App it is
// that of the docker context, or the socket of the instance.
func (s *session) environmentHost(app *appv1.App) (string, error) {
	if app != nil {
		return dockerHost(app, s.instance)
	}
	if dir, err := dockercontext.Dir(); err == nil {
		found, err := dockercontext.Open(dir).Context(dockercontext.Name(s.instance))
		if err == nil && found.BelongsTo(s.instance) {
			return found.Host, nil
		}
	}
	return dockercontext.Socket(s.instance), nil
}

// environmentConfig returns the path of a kubeconfig for the namespace of the mirrors.
func (s *session) environmentConfig(app *appv1.App) (string, error) {
	if app == nil {
		return s.instance.Config, nil
	}
	return client.ConfigFor(s.instance, cmp.Or(app.Spec.Namespace, appv1.DefaultNamespace))
}
