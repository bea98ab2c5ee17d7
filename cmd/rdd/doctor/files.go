package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// files checks that only the user owns, and can read, the instance's files.
func (e *examination) files(context.Context) Result {
	i := e.Instance
	if !i.Exists() {
		return skipped("instance %q does not exist; 'rdd svc start' creates it", i.Name)
	}
	var wrong, fixes []string
	add := func(problem, fix string) {
		if problem != "" {
			wrong = append(wrong, problem)
			fixes = append(fixes, fix)
		}
	}
	for _, dir := range []string{i.Dir, i.LogDir, i.ShortDir, i.TLSDir, i.DataDir} {
		add(fileProblem(dir, true), "chmod 700 "+dir)
	}
	secrets := []string{i.Config}
	if more, err := filepath.Glob(filepath.Join(i.TLSDir, "*")); err == nil {
		secrets = append(secrets, more...)
	}
	for _, file := range secrets {
		add(fileProblem(file, false), "chmod 600 "+file)
	}
	if len(wrong) > 0 {
		return finding("'rdd svc restart' creates missing files; fix the rest with: "+strings.Join(fixes, "; "), "%s", strings.Join(wrong, "; "))
	}
	return ok("directories have mode 0700; token, key and kubeconfig have mode 0600")
}

// fileProblem returns what is wrong with a file or directory, or nothing.
func fileProblem(path string, dir bool) string {
	info, err := os.Stat(path)
	if err != nil {
		return err.Error()
	}
	if info.IsDir() != dir {
		return fmt.Sprintf("%s is a %s", path, info.Mode().Type())
	}
	if stat, found := info.Sys().(*syscall.Stat_t); found && int(stat.Uid) != os.Getuid() {
		return fmt.Sprintf("%s belongs to user %d", path, stat.Uid)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Sprintf("%s has mode %04o, which gives other users access", path, info.Mode().Perm())
	}
	return ""
}

// kubeconfig checks whether a client can use the kubeconfig.
func (e *examination) kubeconfig(context.Context) Result {
	const next = "'rdd svc restart' writes a new kubeconfig"
	config, err := client.Config(e.Instance)
	var none *client.NoDaemonError
	switch {
	case errors.As(err, &none):
		return skipped("the instance has no kubeconfig yet")
	case err != nil:
		return finding(next, "%v", err)
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		return finding(next, "server %q is not a URL: %v", config.Host, err)
	}
	if ip := net.ParseIP(server.Hostname()); server.Scheme != "https" || ip == nil || !ip.IsLoopback() {
		return finding(next, "server %s is not an https URL of this machine", config.Host)
	}
	if config.BearerToken == "" || len(config.CAData) == 0 {
		return finding(next, "it has no token or no certificate authority")
	}
	token, err := os.ReadFile(filepath.Join(e.Instance.TLSDir, filename.Token))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return finding(next, "its token does not exist any more")
	case err != nil:
		return finding(next, "the token cannot be compared: %v", err)
	case strings.TrimSpace(string(token)) != config.BearerToken:
		return finding(next, "its token differs from the daemon's")
	}
	return ok("%s, for %s", e.Instance.Config, config.Host)
}
