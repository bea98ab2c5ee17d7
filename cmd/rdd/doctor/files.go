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
)

// files looks whether everything is the user's own and nobody else's to read.
func (e *examination) files(context.Context) Result {
	i := e.Instance
	if !i.Exists() {
		return skipped("there is no instance %q yet; 'rdd svc start' makes it", i.Name)
	}
	var wrong, fixes []string
	note := func(complaint, fix string) {
		if complaint != "" {
			wrong = append(wrong, complaint)
			fixes = append(fixes, fix)
		}
	}
	for _, dir := range []string{i.Dir, i.LogDir, i.ShortDir, i.TLSDir, i.DataDir} {
		note(complaint(dir, true), "chmod 700 "+dir)
	}
	secrets := []string{i.Config}
	if more, err := filepath.Glob(filepath.Join(i.TLSDir, "*")); err == nil {
		secrets = append(secrets, more...)
	}
	for _, file := range secrets {
		note(complaint(file, false), "chmod 600 "+file)
	}
	if len(wrong) > 0 {
		return finding("'rdd svc restart' makes what is missing; mend the rest by hand: "+strings.Join(fixes, "; "), "%s", strings.Join(wrong, "; "))
	}
	return ok("directories have mode 0700; token, key and kubeconfig 0600")
}

// complaint says what is wrong with a file or directory; nothing: empty.
func complaint(path string, dir bool) string {
	info, err := os.Stat(path)
	if err != nil {
		return err.Error()
	}
	if info.IsDir() != dir {
		return fmt.Sprintf("%s is a %s", path, info.Mode().Type())
	}
	if stat, found := info.Sys().(*syscall.Stat_t); found && int(stat.Uid) != os.Getuid() {
		return fmt.Sprintf("%s belongs to the user with id %d", path, stat.Uid)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Sprintf("%s has mode %04o, so that others may use it", path, info.Mode().Perm())
	}
	return ""
}

// kubeconfig looks whether a client could use it.
func (e *examination) kubeconfig(context.Context) Result {
	const next = "'rdd svc restart' writes it anew"
	config, err := client.Config(e.Instance)
	var none *client.NoDaemonError
	switch {
	case errors.As(err, &none):
		return skipped("there is none yet")
	case err != nil:
		return finding(next, "%v", err)
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		return finding(next, "it names the server %q: %v", config.Host, err)
	}
	if ip := net.ParseIP(server.Hostname()); server.Scheme != "https" || ip == nil || !ip.IsLoopback() {
		return finding(next, "it names the server %s, which is not this machine's own over TLS", config.Host)
	}
	if config.BearerToken == "" || len(config.CAData) == 0 {
		return finding(next, "it has no token, or no certificate authority")
	}
	token, err := os.ReadFile(filepath.Join(e.Instance.TLSDir, "token"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return finding(next, "the token that it holds is not kept any more")
	case err != nil:
		return finding(next, "the token cannot be compared: %v", err)
	case strings.TrimSpace(string(token)) != config.BearerToken:
		return finding(next, "its token is not the daemon's")
	}
	return ok("%s, for %s", e.Instance.Config, config.Host)
}
