package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gopkg.in/natefinch/lumberjack.v2"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent"
)

// hostAgentCmd is what the daemon starts to make and look after a VM; see
// internal/limahost.
type hostAgentCmd struct {
	Dir      string `arg:"" help:"Lima home with hostagent.json." placeholder:"DIR"`
	Check    bool   `help:"Only say what is wrong with the configuration, which is read from standard input."`
	LogLevel string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL"`
}

// Run is the host agent. SIGTERM and SIGINT shut the VM down.
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
	logger.Info("host agent starts", "pid", os.Getpid(), "dir", dir, "version", buildVersion())
	err = agent.Run(s.ctx, cfg, logger)
	if err != nil {
		logger.Error("host agent ends with an error", "error", err)
	}
	return err
}

// checkHostAgent says what is wrong with a configuration. An error is all that it
// prints, for the daemon to pass on.
func checkHostAgent(dir string, in io.Reader) error {
	var cfg limahost.Config
	if err := json.NewDecoder(in).Decode(&cfg); err != nil {
		return fmt.Errorf("read the configuration that is to be checked: %w", err)
	}
	cfg.LimaHome = dir
	return agent.Check(cfg)
}
