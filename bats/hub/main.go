// Command hub runs a hub, a Kubernetes API for many machines, on loopback: for the
// end-to-end tests, and to try things by hand. `make kube` builds the programs that it
// runs.
//
//	hub -kubeconfig FILE
//
// It writes the kubeconfig of an administrator, and prints "ready". Each line of its input
// is a command, and its output has a line when the command is done:
//
//	stop   kills the API server: "stopped"
//	start  starts it again at the same address, with the same objects: "ready"
//
// At the end of the input, or of SIGTERM or SIGINT, it ends all that it has started. A
// shell gives a program in the background an empty input: `hub … < <(sleep infinity) &`
// or a FIFO keeps it running.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "hub:", err)
		os.Exit(1)
	}
}

// options are those of the command line.
type options struct {
	kubeconfig, dir, programs string
	bare                      bool
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("hub", flag.ContinueOnError)
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "where the kubeconfig of an administrator goes (required)")
	flags.StringVar(&o.dir, "dir", "", "an empty directory for data and logs, which remains; by default a temporary one")
	flags.StringVar(&o.programs, "programs", "", "the directory of kube-apiserver, kube-controller-manager and etcd; by default that of make kube")
	flags.BoolVar(&o.bare, "bare", false, "do not run kube-controller-manager")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.kubeconfig == "" {
		return o, errors.New("the flag -kubeconfig is missing")
	}
	var err error
	if o.programs == "" {
		o.programs, err = hubtest.Programs()
	}
	return o, err
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	dir, remove, err := directory(o.dir)
	if err != nil {
		return err
	}
	return errors.Join(serve(ctx, o, dir, in, out), remove())
}

// directory returns an absolute path of dir, which it creates if it is missing, or of a
// temporary directory. remove removes the temporary one.
func directory(dir string) (path string, remove func() error, err error) {
	if dir == "" {
		path, err = os.MkdirTemp("", "hub")
		return path, func() error { return os.RemoveAll(path) }, err
	}
	if path, err = filepath.Abs(dir); err == nil {
		err = os.MkdirAll(path, 0o700)
	}
	return path, func() error { return nil }, err
}

// serve runs the hub until the end of the input or of ctx.
func serve(ctx context.Context, o options, dir string, in io.Reader, out io.Writer) error {
	var opts []hubtest.Option
	if !o.bare {
		opts = append(opts, hubtest.WithControllerManager())
	}
	cluster, err := hubtest.Launch(ctx, o.programs, dir, opts...)
	if err != nil {
		return err
	}
	defer cluster.Close()
	if err := hubtest.WriteKubeconfig(o.kubeconfig, cluster.AdminConfig()); err != nil {
		return err
	}
	fmt.Fprintln(out, "ready")
	commands := lines(ctx, in)
	for {
		select {
		case <-ctx.Done():
			return nil
		case command, open := <-commands:
			if !open {
				return nil
			}
			if err := execute(ctx, cluster, command, out); err != nil {
				return err
			}
		}
	}
}

// lines sends each line of in, and is closed at the end.
func lines(ctx context.Context, in io.Reader) <-chan string {
	all := make(chan string)
	go func() {
		defer close(all)
		scanner := bufio.NewScanner(in)
		for scanner.Scan() {
			select {
			case all <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	return all
}

func execute(ctx context.Context, cluster *hubtest.Cluster, command string, out io.Writer) error {
	switch command {
	case "stop":
		cluster.StopAPIServer()
		fmt.Fprintln(out, "stopped")
	case "start":
		if err := cluster.Up(ctx); err != nil {
			return err
		}
		fmt.Fprintln(out, "ready")
	default:
		return fmt.Errorf("the command %q is neither stop nor start", command)
	}
	return nil
}
