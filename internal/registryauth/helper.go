package registryauth

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"

	"github.com/docker/cli/cli/config/types"
	"github.com/docker/docker-credential-helpers/client"
	"github.com/docker/docker-credential-helpers/credentials"
)

// tokenUser is the user name that stands for an identity token, by the protocol of
// credential helpers.
const tokenUser = "<token>"

// killGrace is how long the output of a killed helper is waited for: processes that the
// helper has started may still hold it.
const killGrace = time.Second

// ask runs a credential helper, which is a program named docker-credential-NAME.
func (f Finder) ask(ctx context.Context, name, registry string) (types.AuthConfig, error) {
	program := "docker-credential-" + name
	patience := cmp.Or(f.Patience, patience)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := client.Get(func(args ...string) client.Program { return newHelper(ctx, program, args) }, registry)
	switch {
	case ctx.Err() != nil && err != nil:
		return types.AuthConfig{}, fmt.Errorf("%s gave no credentials for %s within %s: run it in a terminal to see what it waits for, or sign in again with docker login",
			program, registry, patience)
	case credentials.IsErrCredentialsNotFound(err):
		return types.AuthConfig{}, nil
	case err != nil:
		return types.AuthConfig{}, fmt.Errorf("get the credentials for %s from %s: %w: run docker login, or correct the helper's name in Docker's config.json",
			registry, program, err)
	case found.Username == tokenUser:
		return types.AuthConfig{ServerAddress: registry, IdentityToken: found.Secret}, nil
	}
	return types.AuthConfig{ServerAddress: registry, Username: found.Username, Password: found.Secret}, nil
}

// helper is a run of a credential helper that ends with its context. It implements
// client.Program.
type helper struct{ *exec.Cmd }

func newHelper(ctx context.Context, program string, args []string) *helper {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // the user's configuration names it
	// A helper may be a script: its children end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killGrace
	return &helper{cmd}
}

// Output returns the helper's answer, or its words when it fails.
func (h *helper) Output() ([]byte, error) {
	var out bytes.Buffer
	h.Stdout = &out
	err := h.Run()
	if err != nil && bytes.HasPrefix(bytes.TrimSpace(out.Bytes()), []byte("{")) {
		return nil, err // credentials, which no error may quote
	}
	return out.Bytes(), err
}

// Input sets what the helper reads.
func (h *helper) Input(in io.Reader) { h.Stdin = in }
