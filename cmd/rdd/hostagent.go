package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/heaptrim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent"
)

// hostAgentCmd runs a VM. The daemon starts this command; see
// internal/limahost.
type hostAgentCmd struct {
	Dir      string `arg:"" help:"Lima home directory, which holds hostagent.json." placeholder:"DIR"`
	Check    bool   `help:"Only validate the configuration on standard input."`
	LogLevel string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL"`
}

// Run runs the host agent. SIGTERM and SIGINT shut the VM down.
func (c *hostAgentCmd) Run(s *session) (err error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return err
	}
	if c.Check {
		return checkHostAgent(dir, os.Stdin)
	}
	cfg, err := agent.Load(dir)
	if err != nil {
		return fmt.Errorf("read the configuration of the host agent: %w", err)
	}
	paths := limahost.Paths{LimaHome: dir, LogDir: cfg.LogDir}
	file := &lumberjack.Logger{Filename: paths.AgentLog(), MaxSize: logMegabytes, MaxBackups: logBackups}
	defer func() { err = errors.Join(err, file.Close()) }()
	logger, err := newLogger(file, c.LogLevel)
	if err != nil {
		return err
	}
	defer heaptrim.Start(trimAfter)()
	logger.Info("host agent starts", "pid", os.Getpid(), "dir", dir, "version", buildVersion())
	err = agent.Run(s.ctx, cfg, logger)
	if err != nil {
		logger.Error("host agent ends with an error", "error", err)
	}
	return err
}

// checkHostAgent validates a configuration. The daemon reads its output and passes
// it on, so it prints nothing but the error.
func checkHostAgent(dir string, in io.Reader) error {
	var cfg limahost.Config
	if err := json.NewDecoder(in).Decode(&cfg); err != nil {
		return fmt.Errorf("read the configuration of the host agent from standard input: %w", err)
	}
	cfg.LimaHome = dir
	return agent.Check(cfg)
}
