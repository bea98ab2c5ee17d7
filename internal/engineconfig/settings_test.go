package engineconfig

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

func spec(config string) appv1.ContainerEngine {
	s := appv1.ContainerEngine{
		RegistryMirrors: []string{"https://mirror.example.com"}, InsecureRegistries: []string{"10.0.0.0/8"},
		DNS: []string{"10.0.0.53"}, ExtraArgs: []string{"--log-level=debug"},
		Proxy: appv1.Proxy{HTTP: "http://proxy:3128", No: "localhost"},
	}
	if config != "" {
		s.Config = &runtime.RawExtension{Raw: []byte(config)}
	}
	return s
}

// The text is the same for the same settings, and has all of them.
func TestEncodeRoundTrip(t *testing.T) {
	a, err := Of(spec(`{"debug":true,"max-concurrent-downloads":9007199254740993}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Of(spec(`{"max-concurrent-downloads":9007199254740993, "debug":true}`))
	if err != nil || a.Encode() != b.Encode() {
		t.Errorf("%v: %s, %s", err, a.Encode(), b.Encode())
	}
	decoded, err := Decode(a.Encode())
	if err != nil || decoded.Encode() != a.Encode() || !strings.Contains(a.Encode(), "9007199254740993") {
		t.Errorf("%v: %+v", err, decoded)
	}
	var into appv1.ContainerEngine
	if err := decoded.Into(&into); err != nil {
		t.Fatal(err)
	}
	if again, err := Of(into); err != nil || again.Encode() != a.Encode() {
		t.Errorf("%v: %s", err, again.Encode())
	}
}

func TestEncodeOfNoSettingsIsEmpty(t *testing.T) {
	for _, s := range []appv1.ContainerEngine{
		{}, {Name: appv1.EngineMoby, Subnet: "10.0.0.0/16"}, {DNS: []string{}}, {Config: &runtime.RawExtension{Raw: []byte("{}")}},
	} {
		if got, err := Of(s); err != nil || !got.IsEmpty() {
			t.Errorf("%+v: %q, %v", s, got.Encode(), err)
		}
	}
	if _, err := Of(spec(`"text"`)); err == nil {
		t.Error("a config that is no object is accepted")
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		settings Settings
		engine   appv1.EngineName
		want     string
	}{
		{Settings{}, "", ""},
		{Settings{ExtraArgs: []string{"--log-level=debug", "--debug"}, Config: map[string]any{"mtu": 1400}}, appv1.EngineMoby, ""},
		{Settings{ExtraArgs: []string{"--data-root=/x"}}, "", "--data-root: rdd sets it itself"},
		{Settings{ExtraArgs: []string{"--host", "-H"}}, "", "each argument as --NAME"},
		{Settings{ExtraArgs: []string{"--a=/x"}}, appv1.EngineContainerd, "each argument as --NAME"},
		{Settings{ExtraArgs: []string{"--registry-mirror=x"}}, "", "use containerEngine.registryMirrors"},
		{Settings{ExtraArgs: []string{"--help"}}, "", "would end at once"},
		{Settings{Config: map[string]any{"hosts": nil}}, "", `"hosts": rdd sets it itself`},
		{Settings{Config: map[string]any{"any": map[string]any{"live-restore": false}}}, "", `"live-restore" in "any": rdd sets it itself`},
		{Settings{Config: map[string]any{"runtimes": map[string]any{"root": map[string]any{}}}}, "", ""},
		{Settings{Config: map[string]any{"default-address-pools": nil}}, "", "containerEngine.subnet"},
		{Settings{Config: map[string]any{"labels": []any{"a=b"}}, ExtraArgs: []string{"--label=c=d"}}, "", "same setting"},
		{Settings{Config: map[string]any{"label": 1}}, appv1.EngineContainerd, "containerEngine.config: only for containerEngine.name=moby"},
		{Settings{DNS: []string{"1.1.1.1"}, RegistryMirrors: []string{"http://x"}}, appv1.EngineContainerd, "'rdd set containerEngine.dns= containerEngine.registryMirrors='"},
		{Settings{Proxy: appv1.Proxy{HTTP: "http://x"}, ExtraArgs: []string{"--log-level=debug"}}, appv1.EngineContainerd, ""},
		{Settings{ExtraArgs: []string{"--root=/x"}}, appv1.EngineContainerd, "rdd sets it itself"},
	} {
		err := test.settings.Check(test.engine)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.settings, err, test.want)
		}
	}
}

func TestMergeKeepsOwnKeys(t *testing.T) {
	s := Settings{
		RegistryMirrors: []string{"http://m"}, InsecureRegistries: []string{"r"}, DNS: []string{"1.1.1.1"},
		Config: map[string]any{"data-root": "/elsewhere", "debug": true},
	}
	got := s.Merge(map[string]any{"data-root": "/own", "live-restore": true})
	want := map[string]any{
		"data-root": "/own", "live-restore": true, "debug": true, "registry-mirrors": []string{"http://m"},
		"insecure-registries": []string{"r"}, "dns": []string{"1.1.1.1"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestEnvironmentReplacesProxies(t *testing.T) {
	s := Settings{Proxy: appv1.Proxy{HTTP: "http://new", No: "localhost"}}
	got := s.Environment([]string{"A=1", "http_proxy=http://old", "HTTP_PROXY=http://old", "HTTPS_PROXY=http://kept", "no_proxy=x"})
	want := []string{"A=1", "HTTPS_PROXY=http://kept", "HTTP_PROXY=http://new", "NO_PROXY=localhost"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestPropertyOf(t *testing.T) {
	s := Settings{ExtraArgs: []string{"--debug"}, Config: map[string]any{"labels": []any{}}, DNS: []string{"1.1.1.1"}}
	for arg, want := range map[string]string{
		"--debug": "containerEngine.extraArgs", "--label=x": "containerEngine.config", "--dns=x": "containerEngine.dns",
		"--insecure-registry=x": "", "--mtu=1": "",
	} {
		if got := s.PropertyOf(arg); got != want {
			t.Errorf("%s: %q, want %q", arg, got, want)
		}
	}
}

// The API server refuses the same names.
func TestReservedNamesMatchAdmission(t *testing.T) {
	want := slices.Sorted(maps.Keys(Reserved()))
	for path, pattern := range map[string]string{
		"../../api/crds/app.rancherdesktop.io_apps.yaml":  `'--([a-z-]+)'`,
		"../controlplane/policies/rdd-engine-config.yaml": `'([a-z-]+)'(?:, |,\n|\])`,
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
			got = append(got, match[1])
		}
		slices.Sort(got)
		if got = slices.Compact(got); !slices.Equal(got, want) {
			t.Errorf("%s refuses %v, want %v", path, fmt.Sprint(got), want)
		}
	}
}
