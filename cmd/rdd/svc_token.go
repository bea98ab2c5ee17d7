package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/ui"
)

type svcTokenCmd struct {
	ReadOnly   bool `help:"Print the token for clients that only read, such as dashboards: it permits get, list and watch, logs and stats."`
	Rotate     bool `help:"Replace the token first. Clients with the old one are disconnected."`
	Kubeconfig bool `help:"Print a kubeconfig with the token instead."`
}

// Run implements the command. It starts no daemon.
func (c *svcTokenCmd) Run(s *session) error {
	role := controlplane.RoleAdmin
	if c.ReadOnly {
		role = controlplane.RoleReadOnly
	}
	// Without the file, the instance does not exist, or no daemon of this version ran.
	if _, err := s.tokenOf(role); err != nil {
		return err
	}
	if c.Rotate {
		if err := s.rotateToken(role); err != nil {
			return err
		}
	}
	token, err := s.tokenOf(role)
	if err != nil {
		return err
	}
	if !c.Kubeconfig {
		fmt.Fprintln(s.out, token)
		return nil
	}
	text, err := s.kubeconfigWith(role, token)
	if err != nil {
		return err
	}
	_, err = s.out.Write(text)
	return err
}

func (s *session) tokenOf(role controlplane.Role) (string, error) {
	text, err := os.ReadFile(controlplane.TokenPath(s.instance.TLSDir, role))
	if errors.Is(err, fs.ErrNotExist) {
		next := "start"
		if s.instance.Exists() {
			next = "restart"
		}
		return "", fmt.Errorf("instance %q has no %s token yet: 'rdd svc %s' creates it", s.instance.Name, role, next)
	}
	if err != nil {
		return "", fmt.Errorf("read the %s token of instance %q: %w", role, s.instance.Name, err)
	}
	return strings.TrimSpace(string(text)), nil
}

// rotateToken replaces a token. A running daemon does so itself, so that the former
// token is invalid at once.
func (s *session) rotateToken(role controlplane.Role) error {
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	daemon, err := s.runningClient()
	if err == nil {
		return daemon.ReplaceToken(ctx, string(role))
	}
	if _, none := errors.AsType[*client.NoDaemonError](err); !none {
		return err
	}
	return s.manager(func(string) {}).Exclusively(ctx, "replacing a token", func() error {
		_, err := controlplane.ReplaceToken(s.instance.TLSDir, role)
		if err == nil && role == controlplane.RoleAdmin {
			err = ui.RemoveSessions(s.instance.TLSDir) // as a running daemon does
		}
		return err
	})
}

// kubeconfigWith returns the kubeconfig of the instance with another token. Its context
// has a name of its own, so that both fit in one file.
func (s *session) kubeconfigWith(role controlplane.Role, token string) ([]byte, error) {
	text, err := client.KubeconfigText(s.instance)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.Load(text)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %s: %w", s.instance.Config, err)
	}
	current, found := config.Contexts[config.CurrentContext]
	if !found || config.AuthInfos[current.AuthInfo] == nil {
		return nil, fmt.Errorf("kubeconfig %s has no current context: 'rdd svc restart' writes a new one", s.instance.Config)
	}
	config.AuthInfos[current.AuthInfo].Token = token
	if role != controlplane.RoleAdmin {
		name := config.CurrentContext + "-" + string(role)
		config.AuthInfos[name] = config.AuthInfos[current.AuthInfo]
		config.Contexts[name] = current
		delete(config.AuthInfos, current.AuthInfo)
		delete(config.Contexts, config.CurrentContext)
		current.AuthInfo, config.CurrentContext = name, name
	}
	text, err = clientcmd.Write(*config)
	if err != nil {
		return nil, fmt.Errorf("encode a kubeconfig: %w", err)
	}
	return text, nil
}
