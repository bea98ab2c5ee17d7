package main

import (
	"fmt"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/lifecycle"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
)

// stopFlags has the flags of commands that stop the daemon.
type stopFlags struct {
	Timeout time.Duration `help:"How long to wait for the daemon. After that, it is killed, unless it is still stopping containers." default:"1m"`
}

// daemonStopped is the result of a stop of the daemon.
type daemonStopped struct {
	Instance string `json:"instance"`
	// WasRunning is false if no daemon was running.
	WasRunning bool `json:"wasRunning"`
	// EngineKept is set if the engine was not stopped.
	EngineKept bool    `json:"engineKept"`
	Seconds    float64 `json:"seconds"`
}

type svcStopCmd struct {
	output
	stopFlags
	KeepEngine bool `aliases:"keep-vm" help:"Keep the engine running; the next start adopts it."`
}

// Run implements the command.
func (c *svcStopCmd) Run(s *session) error {
	shown := progress.New(s.err)
	defer shown.Close()
	ran, err := s.manager(shown.Update).Stop(s.ctx, lifecycle.StopOptions{KeepEngine: c.KeepEngine, Timeout: c.Timeout})
	if err != nil {
		return err
	}
	shown.Close()
	result := daemonStopped{s.instance.Name, ran, c.KeepEngine, shown.Elapsed().Seconds()}
	text := fmt.Sprintf("the daemon was stopped after %s", rounded(shown.Elapsed()))
	switch {
	case !ran:
		text = "no daemon was running"
	case c.KeepEngine:
		text += "; the engine was not stopped"
	}
	return s.show(c.output, result, s.say("%s", text))
}

type svcRestartCmd struct {
	output
	stopFlags
	daemonFlags
}

// Run implements the command.
func (c *svcRestartCmd) Run(s *session) error {
	args, err := c.args(s.instance)
	if err != nil {
		return err
	}
	shown := progress.New(s.err)
	defer shown.Close()
	options := lifecycle.StopOptions{KeepEngine: true, Timeout: c.Timeout}
	if _, err := s.manager(shown.Update).Stop(s.ctx, options); err != nil {
		return err
	}
	shown.Close()
	return s.startDaemon(args, startTimeout, c.output)
}
