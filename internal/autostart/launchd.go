package autostart

import (
	"context"
	"encoding/xml"
	"fmt"
	"html"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// launchd implements kind with an agent; see launchd.plist(5).
type launchd struct{}

// label returns the name of the instance's agent.
func label(inst instance.Instance) string { return "io.rancherdesktop.rdd." + inst.Name }

// files implements kind.
func (launchd) files(s Service) []file {
	return []file{{filepath.Join(s.host.home, "Library"), filepath.Join("LaunchAgents", label(s.instance)+".plist"), s.host.uid}}
}

// render implements kind. launchd ends what is left of an agent's process group when the
// agent ends, unless AbandonProcessGroup is set.
func (launchd) render(s Service, p Program) string {
	var b strings.Builder
	text := func(indent, value string) {
		b.WriteString(indent + "<string>")
		_ = xml.EscapeText(&b, []byte(value)) // a strings.Builder returns no error
		b.WriteString("</string>\n")
	}
	b.WriteString(xml.Header)
	b.WriteString(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n")
	fmt.Fprintf(&b, "<!-- %s -->\n<plist version=\"1.0\">\n<dict>\n  <key>Label</key>\n", s.mark())
	text("  ", label(s.instance))
	b.WriteString("  <key>ProgramArguments</key>\n  <array>\n")
	for _, arg := range []string{p.Path, "--instance", s.instance.Name, "svc", "start", "--timeout", "5m"} {
		text("    ", arg)
	}
	b.WriteString("  </array>\n  <key>EnvironmentVariables</key>\n  <dict>\n")
	for _, variable := range p.Env {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&b, "    <key>%s</key>\n", html.EscapeString(name))
		text("    ", value)
	}
	b.WriteString("  </dict>\n  <key>RunAtLoad</key>\n  <true/>\n  <key>AbandonProcessGroup</key>\n  <true/>\n</dict>\n</plist>\n")
	return b.String()
}

// program implements kind.
func (launchd) program(content string) string {
	first := regexp.MustCompile(`<key>ProgramArguments</key>\s*<array>\s*<string>([^<]*)</string>`)
	if m := first.FindStringSubmatch(content); m != nil {
		return html.UnescapeString(m[1])
	}
	return ""
}

// check implements kind: every Mac has launchd.
func (launchd) check(context.Context, Service, Program) error { return nil }

// enable implements kind: launchd reads the directory at each login, and skips an agent
// that the user has disabled.
func (launchd) enable(ctx context.Context, s Service, _ file) (note string, err error) {
	if _, err := s.host.run(ctx, "launchctl", "enable", fmt.Sprintf("gui/%d/%s", s.host.uid, label(s.instance))); err != nil {
		return "if the agent was disabled before, it still is (" + err.Error() + ")", nil //nolint:nilerr // the note has the error
	}
	return "", nil
}

// disable implements kind.
func (launchd) disable(context.Context, Service, file) error { return nil }

// reload implements kind.
func (launchd) reload(context.Context, Service) {}

// enabled implements kind.
func (launchd) enabled(Service, file) bool { return true }
