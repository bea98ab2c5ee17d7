package native

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engineconfig"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// A real dockerd has the settings, an Inspect returns them, and the same engine without
// settings has none.
func TestDockerdHasSettings(t *testing.T) {
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	settings := engineconfig.Settings{
		RegistryMirrors: []string{"http://mirror.example.com"}, InsecureRegistries: []string{"registry.example.com:5000"},
		DNS: []string{"192.0.2.53"}, Proxy: appv1.Proxy{HTTP: "http://proxy.example.com:3128", No: "localhost"},
		ExtraArgs: []string{"--label=rdd.test=1"}, Config: map[string]any{"max-concurrent-downloads": json.Number("2"), "debug": true},
	}
	spec := messages.VMSpec{Driver: appv1.DriverNative, Engine: appv1.EngineMoby, Settings: settings.Encode()}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for _, spec := range []messages.VMSpec{spec, {Driver: appv1.DriverNative, Engine: appv1.EngineMoby}} {
		if _, err := b.d.Available(ctx, spec); err != nil {
			t.Fatal(err)
		}
		if _, err := b.d.Start(ctx, spec, func(string) {}); err != nil {
			t.Fatal(err)
		}
		seen, err := New(b.cfg).Inspect(ctx)
		if err != nil || seen.Presence != vm.Present || seen.Spec.Settings != spec.Settings {
			t.Errorf("%+v, %v", seen, err)
		}
		checkInfo(t, b, spec.Settings != "")
		if _, err := b.d.Stop(ctx, func(string) {}); err != nil {
			t.Fatal(err)
		}
	}
}

// checkInfo checks what dockerd says about its settings.
func checkInfo(t *testing.T, b *bench, configured bool) {
	t.Helper()
	status, answer := b.request(t, http.MethodGet, "/info", nil)
	var info struct {
		HTTPProxy, NoProxy string
		Labels             []string
		Debug              bool
		RegistryConfig     struct {
			Mirrors      []string
			IndexConfigs map[string]struct{ Secure bool }
		}
	}
	if err := json.Unmarshal(answer, &info); err != nil || status != http.StatusOK {
		t.Fatalf("%d, %v: %s", status, err, answer)
	}
	has := []bool{
		info.HTTPProxy == "http://proxy.example.com:3128", info.NoProxy == "localhost", slices.Contains(info.Labels, "rdd.test=1"), info.Debug,
		slices.Contains(info.RegistryConfig.Mirrors, "http://mirror.example.com/"),
	}
	_, listed := info.RegistryConfig.IndexConfigs["registry.example.com:5000"]
	if slices.Contains(append(has, listed), !configured) {
		t.Errorf("settings %t: %+v", configured, info)
	}
}

// Settings that dockerd would refuse are found before a running engine is stopped.
func TestAvailableChecksSettings(t *testing.T) {
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	for _, test := range []struct {
		settings engineconfig.Settings
		args     string
		want     string
	}{
		{engineconfig.Settings{Config: map[string]any{"debug": true}}, "", ""},
		{engineconfig.Settings{Config: map[string]any{"no-such-key": true}}, "", "no-such-key"},
		{engineconfig.Settings{ExtraArgs: []string{"--no-such-flag"}}, "", "no-such-flag"},
		{engineconfig.Settings{ExtraArgs: []string{"--mtu=wide"}}, "", "mtu"},
		{engineconfig.Settings{Config: map[string]any{"debug": "yes"}}, "", "debug of type bool"},
		{engineconfig.Settings{Config: map[string]any{"dns-opts": []any{"a"}, "labels": []any{"b"}}}, "", "bad attribute format: b"},
		{engineconfig.Settings{ExtraArgs: []string{"--label"}}, "", "flag needs an argument: --label"},
		{engineconfig.Settings{ExtraArgs: []string{"--data-root=/x"}}, "", "rdd sets it itself"},
		{engineconfig.Settings{Config: map[string]any{"log-level": "debug"}}, "--log-level=info", "RDD_DOCKERD_ARGS has --log-level, which containerEngine.config sets too"},
	} {
		cfg := b.cfg
		cfg.Getenv = func(name string) string {
			if name == "RDD_DOCKERD_ARGS" {
				return strings.TrimSpace(test.args + " " + b.d.getenv(name))
			}
			return b.d.getenv(name)
		}
		_, err := New(cfg).Available(t.Context(), messages.VMSpec{Settings: test.settings.Encode()})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.settings, err, test.want)
		}
	}
}

// containerd has few arguments, and checks their names only.
func TestAvailableChecksContainerdSettings(t *testing.T) {
	needEngine(t, appv1.EngineContainerd)
	b := newBench(t)
	for arg, want := range map[string]string{
		"--log-level=debug": "", "--log-levels=debug": "-log-levels", "--log-level": "needs an argument", "--a=/x": "as --NAME",
	} {
		settings := engineconfig.Settings{ExtraArgs: []string{arg}}
		_, err := b.d.Available(t.Context(), messages.VMSpec{Engine: appv1.EngineContainerd, Settings: settings.Encode()})
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %v, want %q", arg, err, want)
		}
	}
}
