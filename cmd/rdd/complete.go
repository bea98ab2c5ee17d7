package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/completion"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/property"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run implements the command.
func (c *completionCmd) Run(s *session) error {
	return completion.WriteScript(s.out, c.Shell, "rdd")
}

// completeCmd answers the scripts of 'rdd completion'.
type completeCmd struct {
	Words []string `arg:"" optional:"" help:"Words of the command line after the program."`
}

// completeWithin limits a completion, because the shell waits for it.
const completeWithin = 900 * time.Millisecond

// Run implements the command. It starts no daemon, reports no error, and has no
// candidates from a daemon that does not answer.
func (c *completeCmd) Run(s *session) error {
	ctx, cancel := context.WithTimeout(s.ctx, completeWithin)
	defer cancel()
	answers := make(chan string, 1)
	go func() { answers <- s.completions(ctx, c.Words) }()
	answer := nothing()
	select {
	case answer = <-answers:
	case <-ctx.Done():
	}
	_, err := io.WriteString(s.out, answer)
	return err
}

// nothing is the answer without candidates.
func nothing() string { return fmt.Sprintf(":%d\n", completion.NoFiles) }

// completions returns the candidates for the last word in the protocol of the scripts.
func (s *session) completions(ctx context.Context, words []string) string {
	line := completion.Split(words)
	inst, err := instance.New(line.Instance())
	if err != nil {
		return nothing()
	}
	own := *s
	own.instance, own.ctx = inst, ctx
	if args, isCtl := completion.Ctl(words); isCtl {
		return own.completeCtl(args)
	}
	parser, err := newParser(&cli{}, io.Discard, io.Discard, func(int) {})
	if err != nil {
		return nothing()
	}
	properties := own.properties()
	completer := completion.Completer{
		Parser: parser, Predictors: own.predictors(properties),
		Describe: func(value string) string {
			name, _ := strings.CutSuffix(value, "=")
			p, _ := properties.Find(name)
			return p.Description
		},
	}
	found, err := completer.Complete(line)
	if err != nil {
		return nothing()
	}
	var out strings.Builder
	if err := found.Write(&out); err != nil {
		return nothing()
	}
	return out.String()
}

// predictors returns the sources of values, by the name in the tag of an argument.
func (s *session) predictors(properties property.Set) map[string]completion.Predictor {
	values := func(list func() []string) completion.Predictor {
		return func(string) ([]string, completion.Directive) { return list(), completion.NoFiles }
	}
	return map[string]completion.Predictor{
		"assignment": func(prefix string) ([]string, completion.Directive) { return assignments(properties, prefix) },
		"container":  values(func() []string { return s.fromDaemon((*client.Client).ContainerNames) }),
		"image":      values(func() []string { return s.fromDaemon((*client.Client).ImageTags) }),
		"instance":   values(s.instanceNames),
		"path": values(func() []string {
			var keys []string
			for _, path := range s.instance.Paths() {
				keys = append(keys, path.Key)
			}
			return keys
		}),
		"file": func(string) ([]string, completion.Directive) { return nil, completion.Files },
	}
}

// fromDaemon returns the names that a running daemon lists, or none.
func (s *session) fromDaemon(list func(*client.Client, context.Context) ([]string, error)) []string {
	daemon, err := s.runningClient()
	if err != nil {
		return nil
	}
	names, err := list(daemon, s.ctx)
	if err != nil {
		return nil
	}
	return names
}

// instanceNames returns the names of the instances.
func (s *session) instanceNames() []string {
	all, err := instance.List()
	if err != nil {
		return nil
	}
	var names []string
	for _, one := range all {
		names = append(names, one.Name)
	}
	return names
}

// properties returns the properties that can be set: those of the running daemon, or
// of this program.
func (s *session) properties() property.Set {
	crd, err := property.EmbeddedCRD()
	if err != nil {
		return nil
	}
	if daemon, err := s.runningClient(); err == nil {
		// The properties of this program are better than none.
		ctx, cancel := context.WithTimeout(s.ctx, completeWithin/2)
		defer cancel()
		if live, err := daemon.AppDefinition(ctx); err == nil {
			crd = live
		}
	}
	all, err := property.FromCRD(crd, appv1.GroupVersion.Version)
	if err != nil {
		return nil
	}
	return all.Settable()
}

// assignments returns the names of properties, or the values of the one in prefix.
func assignments(properties property.Set, prefix string) ([]string, completion.Directive) {
	name, _, hasValue := strings.Cut(prefix, "=")
	if !hasValue {
		var names []string
		for _, p := range properties {
			names = append(names, p.Name+"=")
		}
		return names, completion.NoSpace | completion.NoFiles
	}
	p, _ := properties.Find(name)
	values := slices.Clone(p.Enum)
	if p.Type == "boolean" {
		values = []string{"true", "false"}
	}
	if len(values) == 0 && p.Default != "" {
		values = []string{p.Default}
	}
	if name == "vm.mounts" {
		values = []string{"~", "~:w", "[]"}
	}
	if name == "vm.idleStop" {
		values = []string{"10m", "1h", "0"}
	}
	for i := range values {
		values[i] = name + "=" + values[i]
	}
	directive := completion.NoFiles
	if name == "vm.image" {
		directive = completion.Files
	}
	return values, directive
}

// completeCtl returns kubectl's own completions. Without a daemon it completes commands
// and flags only.
func (s *session) completeCtl(args []string) string {
	if line := s.parseCtl(args); line.instance != "" {
		inst, err := instance.New(line.instance)
		if err != nil {
			return nothing()
		}
		s.instance = inst
	}
	namespace := ""
	daemon, err := s.runningClient()
	if err == nil {
		var app *appv1.App
		if app, err = daemon.App(s.ctx); err == nil {
			namespace = cmp.Or(app.Spec.Namespace, appv1.DefaultNamespace)
		}
	}
	var out bytes.Buffer
	kubectl := s.kubectl(genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: io.Discard}, s.instance.Config, namespace)
	flags := map[string]string{"request-timeout": completeWithin.String()}
	if err != nil {
		// Nothing listens on this port, so that kubectl asks no other server.
		flags["server"] = "https://127.0.0.1:1"
	}
	for name, value := range flags {
		if err := kubectl.PersistentFlags().Set(name, value); err != nil {
			return nothing()
		}
	}
	kubectl.SetArgs(append([]string{cobra.ShellCompRequestCmd}, args...))
	if err := kubectl.Execute(); err != nil {
		return nothing()
	}
	return out.String()
}

// replaceCompletion changes kubectl's command for completion, whose scripts are for a
// program called kubectl. The help of kubectl also lists commands that were removed.
func replaceCompletion(kubectl *cobra.Command) {
	for _, command := range kubectl.Commands() {
		if command.Name() != "completion" {
			continue
		}
		command.Short = "Print the script that lets a shell complete rdd, with these commands"
		command.Long = "Print the script that lets a shell complete rdd and 'rdd ctl'. It is that of 'rdd completion SHELL'."
		command.Example, command.Run = "", nil
		command.ValidArgs, command.Args = completion.Shells(), cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs)
		command.RunE = func(command *cobra.Command, args []string) error {
			return completion.WriteScript(command.OutOrStdout(), args[0], "rdd")
		}
	}
}
