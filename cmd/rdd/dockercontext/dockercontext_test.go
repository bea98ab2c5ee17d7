package dockercontext

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/cli/cli/config"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// at returns an instance in an own home.
func at(t *testing.T, name string) instance.Instance {
	t.Helper()
	instancetest.Home(t)
	inst, err := instance.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return inst
}

// answering returns a probe that succeeds for some addresses, and fails the test for
// addresses that must not be probed.
func answering(t *testing.T, probed map[string]bool) func(context.Context, string) bool {
	return func(_ context.Context, host string) bool {
		answers, expected := probed[host]
		if !expected {
			t.Errorf("the engine at %s was probed", host)
		}
		return answers
	}
}

// meta is the text of a context that another program wrote.
func meta(name, host string) string {
	return fmt.Sprintf(`{"Name":%q,"Metadata":{"Description":"mine"},"Endpoints":{"docker":{"Host":%q,"SkipTLSVerify":false}}}`, name, host)
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{"2": "rdd", "work": "rdd-work", "rdd": "rdd-rdd"} {
		if got := Name(instance.Instance{Name: name}); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestBelongsTo(t *testing.T) {
	inst := instance.Instance{Dir: "/i", DockerSocket: "/s/docker.sock"}
	for name, c := range map[string]struct {
		context Context
		want    bool
	}{
		"Socket":               {Context{Host: "unix:///s/docker.sock"}, true},
		"SocketOtherNotation":  {Context{Host: "unix:////s//docker.sock"}, true},
		"RecordedExternal":     {Context{Host: "tcp://a:1", dir: "/i", host: "tcp://a:1"}, true},
		"ChangedByUser":        {Context{Host: "ssh://a", dir: "/i", host: "tcp://a:1"}, false},
		"OtherInstance":        {Context{Host: "tcp://a:1", dir: "/j", host: "tcp://a:1"}, false},
		"OtherProgram":         {Context{Host: "tcp://a:1"}, false},
		"WithoutEndpoint":      {Context{}, false},
		"RecordedWithoutValue": {Context{dir: "/i"}, false},
	} {
		if got := c.context.BelongsTo(inst); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestEnsureSelects(t *testing.T) {
	const other = "unix:///other.sock"
	for name, c := range map[string]struct {
		config    string            // config.json; empty for none
		contexts  map[string]string // meta.json by name
		host      string            // default: the socket
		selection Selection
		probed    map[string]bool
		want      Result // without Name; empty addresses are not compared
		current   string // as docker reads it
	}{
		"CleanHome": {
			probed:  map[string]bool{DefaultHost: false},
			want:    Result{Written: true, Replaced: "default", Current: "rdd"},
			current: "rdd",
		},
		"DefaultAnswers": {
			config: `{"auths":{}}`, probed: map[string]bool{DefaultHost: true},
			want: Result{Written: true, Current: "default", CurrentHost: DefaultHost},
		},
		"CurrentMissing": {
			config: `{"currentContext":"gone"}`,
			want:   Result{Written: true, Replaced: "gone", IsReplacedMissing: true, Current: "rdd"}, current: "rdd",
		},
		"CurrentAnswers": {
			config: `{"currentContext":"other"}`, contexts: map[string]string{"other": other}, probed: map[string]bool{other: true},
			want: Result{Written: true, Current: "other", CurrentHost: other}, current: "other",
		},
		"CurrentDoesNotAnswer": {
			config: `{"currentContext":"other"}`, contexts: map[string]string{"other": other}, probed: map[string]bool{other: false},
			want: Result{Written: true, Replaced: "other", Current: "rdd"}, current: "rdd",
		},
		"OwnIsNotProbed": {
			config: `{"currentContext":"rdd"}`, want: Result{Written: true, Current: "rdd"}, current: "rdd",
		},
		"CurrentHasSameEngine": {
			config: `{"currentContext":"other"}`, contexts: map[string]string{"other": other}, host: other,
			want: Result{Written: true, Current: "other", CurrentHost: other}, current: "other",
		},
		"CurrentWithoutDockerEndpoint": {
			config: `{"currentContext":"other"}`, contexts: map[string]string{"other": ""},
			want: Result{Written: true, Current: "other"}, current: "other",
		},
		"Always": {
			config: `{"currentContext":"other"}`, contexts: map[string]string{"other": other}, selection: SelectAlways,
			want: Result{Written: true, Replaced: "other", Current: "rdd"}, current: "rdd",
		},
		"Never": {
			selection: SelectNever, want: Result{Written: true, Current: "default"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inst := at(t, "2")
			dir := filepath.Join(os.Getenv("HOME"), ".docker")
			if c.config != "" {
				testkit.WriteFile(t, filepath.Join(dir, "config.json"), c.config)
			}
			for name, host := range c.contexts {
				writeContext(t, dir, name, host)
			}
			host := c.host
			if host == "" {
				host = Socket(inst)
			}
			got, err := Open(dir).Ensure(t.Context(), inst, host, c.selection, answering(t, c.probed))
			if err != nil {
				t.Fatal(err)
			}
			c.want.Name = "rdd"
			if c.want.CurrentHost == "" {
				got.CurrentHost = ""
			}
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			expectContext(t, dir, "rdd", host)
			expectCurrent(t, dir, c.current)
		})
	}
}

// writeContext writes a context as another program does.
func writeContext(t *testing.T, dir, name, host string) {
	t.Helper()
	path := Open(dir).store().GetStorageInfo(name).MetadataPath
	testkit.WriteFile(t, filepath.Join(path, "meta.json"), meta(name, host))
}

func expectContext(t *testing.T, dir, name, host string) {
	t.Helper()
	if found, err := Open(dir).Context(name); err != nil || found.Host != host {
		t.Errorf("context %s: %+v, %v, want %s", name, found, err, host)
	}
}

// expectCurrent compares the current context, as docker's own code reads it.
func expectCurrent(t *testing.T, dir, want string) {
	t.Helper()
	file, err := config.Load(dir)
	if err != nil || file.CurrentContext != want {
		t.Errorf("current context %q, %v, want %q", file.CurrentContext, err, want)
	}
}

func TestEnsureTwiceWritesNothing(t *testing.T) {
	inst := at(t, "work")
	dir := filepath.Join(os.Getenv("HOME"), ".docker")
	ensure := func(host string) Result {
		t.Helper()
		result, err := Open(dir).Ensure(t.Context(), inst, host, SelectIfNeeded, answering(t, map[string]bool{DefaultHost: false}))
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	ensure(Socket(inst))
	file := filepath.Join(Open(dir).store().GetStorageInfo("rdd-work").MetadataPath, "meta.json")
	before, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if result := ensure(Socket(inst)); result.Written || result.Replaced != "" {
		t.Errorf("%+v", result)
	}
	if after, err := os.Stat(file); err != nil || !os.SameFile(before, after) {
		t.Errorf("the context was written again: %v", err)
	}
	// The address follows the engine.
	if result := ensure("tcp://a:1"); !result.Written {
		t.Errorf("%+v", result)
	}
	expectContext(t, dir, "rdd-work", "tcp://a:1")
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("docker's directory: %v, %v", info.Mode(), err)
	}
}

func TestEnsureKeepsForeignContext(t *testing.T) {
	inst := at(t, "2")
	dir := filepath.Join(os.Getenv("HOME"), ".docker")
	writeContext(t, dir, "rdd", "ssh://far.example")
	var foreign *ForeignError
	result, err := Open(dir).Ensure(t.Context(), inst, Socket(inst), SelectAlways, answering(t, nil))
	if !errors.As(err, &foreign) || result.Written || !strings.Contains(err.Error(), "ssh://far.example") {
		t.Errorf("%+v, %v", result, err)
	}
	expectContext(t, dir, "rdd", "ssh://far.example")
	if removed, err := Open(dir).Withdraw(inst); removed || err != nil {
		t.Errorf("%v, %v", removed, err)
	}
	expectContext(t, dir, "rdd", "ssh://far.example")
}

func TestEnsureReportsBrokenConfig(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		mode fs.FileMode
		want string
	}{
		"NoJSON":       {"{not json", 0o600, "not valid JSON"},
		"Comment":      {"// mine\n{}", 0o600, "not valid JSON"},
		"Cut":          {`{"auths": {"a": {}}`, 0o600, "not valid JSON"},
		"TextAfterEnd": {`{} {}`, 0o600, "not valid JSON"},
		"List":         {`[]`, 0o600, "not valid JSON"},
		"WrongType":    {`{"currentContext": 7}`, 0o600, "currentContext"},
		"ReadOnly":     {`{"auths": {"a": {}}}`, 0o444, "permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			inst := at(t, "2")
			dir := filepath.Join(os.Getenv("HOME"), ".docker")
			file := filepath.Join(dir, "config.json")
			testkit.WriteFile(t, file, c.text)
			if err := os.Chmod(file, c.mode); err != nil {
				t.Fatal(err)
			}
			result, err := Open(dir).Ensure(t.Context(), inst, Socket(inst), SelectAlways, answering(t, nil))
			if err == nil || !result.Written || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
				t.Errorf("%+v, %v, want %q and the file", result, err, c.want)
			}
			expectContext(t, dir, "rdd", Socket(inst))
			if text, err := os.ReadFile(file); err != nil || string(text) != c.text {
				t.Errorf("the file was changed: %q, %v", text, err)
			}
		})
	}
}

func TestWithdrawKeepsOtherCurrentContext(t *testing.T) {
	inst := at(t, "2")
	dir := filepath.Join(os.Getenv("HOME"), ".docker")
	if removed, err := Open(dir).Withdraw(inst); removed || err != nil {
		t.Errorf("without a context: %v, %v", removed, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory was created: %v", err)
	}
	testkit.WriteFile(t, filepath.Join(dir, "config.json"), `{"currentContext":"other"}`)
	writeContext(t, dir, "rdd", Socket(inst))
	if removed, err := Open(dir).Withdraw(inst); !removed || err != nil {
		t.Errorf("%v, %v", removed, err)
	}
	expectCurrent(t, dir, "other")
}

func TestHostOf(t *testing.T) {
	for endpoint, want := range map[string]string{
		"unix:///a": "unix:///a", "tcp://a:1": "tcp://a:1", "http://a:1/x": "tcp://a:1/x",
	} {
		if got, err := HostOf(endpoint); got != want || err != nil {
			t.Errorf("%s: %s, %v", endpoint, got, err)
		}
	}
	if _, err := HostOf("https://a:1"); err == nil || !strings.Contains(err.Error(), "docker context create") {
		t.Error(err)
	}
}
