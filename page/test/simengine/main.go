package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/memory"
)

// options are those of the command line.
type options struct {
	images, containers, volumes int
	// registry is the host of a registry.
	registry string
}

func main() {
	var opts options
	flag.IntVar(&opts.images, "images", 10, "number of images")
	flag.IntVar(&opts.containers, "containers", 100, "number of containers; every second one runs")
	flag.IntVar(&opts.volumes, "volumes", 10, "number of volumes")
	flag.StringVar(&opts.registry, "registry", "", "host of a registry")
	flag.Parse()
	if err := run(opts, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "simengine:", err)
		os.Exit(1)
	}
}

// run runs an engine until the end of in.
func run(opts options, in io.Reader, out io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "simengine")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(dir)) }()
	engine, err := dockersim.New(filepath.Join(dir, "docker.sock"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	engine.Populate(opts.images, opts.containers, opts.volumes)
	if opts.registry != "" {
		engine.AddRegistry(opts.registry, memory.RegistrySpec{})
	}
	fmt.Fprintln(out, engine.Endpoint())
	commands := commands{engine: engine}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if err := commands.run(lines.Text()); err != nil {
			fmt.Fprintln(out, "error:", err)
			continue
		}
		fmt.Fprintln(out, "done")
	}
	return nil
}

// commands are the lines of the input.
type commands struct {
	engine *dockersim.Engine
	// refusals have the functions that end what refuse began.
	refusals []func()
}

// run carries out one line.
func (c *commands) run(line string) error {
	words := strings.Fields(line)
	switch {
	case line == "restart":
		return c.engine.Restart()
	case line == "accept":
		for _, end := range c.refusals {
			end()
		}
		c.refusals = nil
		return nil
	case len(words) == 3 && words[0] == "refuse":
		return c.refuse(words[1], words[2])
	case len(words) == 3 && words[0] == "pace":
		pace, err := time.ParseDuration(words[2])
		if err != nil {
			return err
		}
		c.engine.SetPace(words[1], pace)
		return nil
	}
	return fmt.Errorf("unknown command %q: use restart, pace HOST DURATION, refuse VERB CONTAINER, or accept", line)
}

// refuse makes the engine refuse a verb of a container, until accept.
func (c *commands) refuse(verb, name string) error {
	container, err := c.engine.Container(name)
	if err != nil {
		return err
	}
	fault := dockersim.Fault{Status: http.StatusInternalServerError, Message: "cannot " + verb + " container: " + name + ": permission denied"}
	c.refusals = append(c.refusals, c.engine.Inject("POST /containers/"+container.ID+"/"+verb, fault))
	return nil
}
