package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/ctlargs"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/untranslated"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

func TestCtlNamesCommandOfRdd(t *testing.T) {
	for args, want := range map[string]string{
		"logs web": "rdd logs NAME", "-n x logs -f web": "rdd logs NAME", "exec web -- true": "rdd exec NAME", "attach web": "rdd attach NAME",
		"top pod": "rdd top", "top node": "rdd top", "run web --image nginx": "docker run", "cp a b": "docker cp", "drain x": "rdd stop",
		"cluster-info": "rdd status", "rollout status x": "rdd ctl --help", "auth reconcile -f x": "RoleBindings",
		"create deployment x": "api-resources", "create namespace x": "", "create -f x": "", "auth can-i get pods": "", "scale --replicas 1 x": "",
		"create clusterrolebinding x --clusterrole y --user z": "no resource for 'kubectl create clusterrolebinding'",
		"create clusterrolebinding x --kubeconfig f":           "", "--kubeconfig=f logs web": "", "--server https://hub drain x": "", "--context hub run x": "",
		"logs --help": "", "get pods": "", "get containers": "", "apply view-last-applied containers x": "", "config view": "", "proxy": "",
	} {
		got := (&session{}).parseCtl(strings.Fields(args)).instead
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
}

// kubectl's help lists commands that were replaced beside those that replace them.
func TestCtlHelpListsEachCommandOnce(t *testing.T) {
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	kubectl := (&session{}).kubectl(streams, "", "")
	kubectl.SetArgs([]string{"--help"})
	if err := kubectl.Execute(); err != nil {
		t.Fatal(err)
	}
	isListed := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "  "), " ")
		if !strings.HasPrefix(line, "  ") || name == "" {
			continue
		}
		if isListed[name] {
			t.Errorf("%s is listed twice", name)
		}
		isListed[name] = true
	}
	if !isListed["get"] || !isListed["completion"] {
		t.Errorf("get and completion are missing:\n%s", out)
	}
}

// Every command of rdd would unpack the translations, not only ctl.
func TestCtlLoadsNoTranslations(t *testing.T) {
	if !untranslated.InUse() {
		t.Error("kubectl has loaded its translations before they could be left out")
	}
}

// Help lists only what works. The commands of the table exist.
func TestCtlHidesUnusableCommands(t *testing.T) {
	kubectl := (&session{}).kubectl(genericiooptions.NewTestIOStreamsDiscard(), "", "")
	var paths []string
	var visit func(prefix string, command *cobra.Command)
	visit = func(prefix string, command *cobra.Command) {
		for _, sub := range command.Commands() {
			path := strings.TrimPrefix(prefix+" "+sub.Name(), " ")
			paths = append(paths, path)
			if _, isUnusable := unusableCommands()[path]; isUnusable && !sub.Hidden {
				t.Errorf("help lists %s", path)
			}
			visit(path, sub)
		}
	}
	visit("", kubectl)
	for path := range unusableCommands() {
		if !slices.Contains(paths, path) {
			t.Errorf("kubectl has no command %s", path)
		}
	}
	usage := kubectl.UsageString()
	for _, word := range []string{"get", "describe", "patch", "delete", "wait", "proxy", "api-resources", "explain"} {
		if !strings.Contains(usage, "\n  "+word) {
			t.Errorf("help lacks %s:\n%s", word, usage)
		}
	}
	for _, word := range []string{"run", "rollout", "drain", "scale"} {
		if strings.Contains(usage, "\n  "+word+" ") {
			t.Errorf("help has %s", word)
		}
	}
}

func TestCtlFindsReferences(t *testing.T) {
	const container, image, volume, network = containersv1.KindContainer, containersv1.KindImage, containersv1.KindVolume, containersv1.KindNetwork
	type refs = []ctlargs.Reference
	for line, want := range map[string]refs{
		"get container web":                     {{Arg: 2, Kind: container, Name: "web"}},
		"get containers web db -o json":         {{Arg: 2, Kind: container, Name: "web"}, {Arg: 3, Kind: container, Name: "db"}},
		"get -o json ctr/web":                   {{Arg: 3, Kind: container, Type: "ctr/", Name: "web"}},
		"-n web get --watch CTR web":            {{Arg: 5, Kind: container, Name: "web"}},
		"-nweb get -wojson ctr web":             {{Arg: 4, Kind: container, Name: "web"}},
		"get -A=false -o=name ctr web":          {{Arg: 4, Kind: container, Name: "web"}},
		"get ctr -- web":                        {{Arg: 3, Kind: container, Name: "web"}},
		"describe image/app:1":                  {{Arg: 1, Kind: image, Type: "image/", Name: "app:1"}},
		"describe image localhost:5000/a/b:1":   {{Arg: 2, Kind: image, Name: "localhost:5000/a/b:1"}},
		"delete img/localhost:5000/a/b:1":       {{Arg: 1, Kind: image, Type: "img/", Name: "localhost:5000/a/b:1"}},
		"delete volume/My_Data pods/x vol/b":    {{Arg: 1, Kind: volume, Type: "volume/", Name: "My_Data"}, {Arg: 3, Kind: volume, Type: "vol/", Name: "b"}},
		"wait network/back --for delete":        {{Arg: 1, Kind: network, Type: "network/", Name: "back"}},
		"wait --for=delete cnet back":           {{Arg: 3, Kind: network, Name: "back"}},
		"patch container web --type merge -p x": {{Arg: 2, Kind: container, Name: "web"}},
		"annotate ctr web a/b=c d-":             {{Arg: 2, Kind: container, Name: "web"}},
		"label --overwrite ctr/web a=b":         {{Arg: 2, Kind: container, Type: "ctr/", Name: "web"}},
		"edit containers.containers.rancherdesktop.io/web": {
			{Arg: 1, Kind: container, Type: "containers.containers.rancherdesktop.io/", Name: "web"},
		},
		"get container.v1alpha1.containers.rancherdesktop.io web": {{Arg: 2, Kind: container, Name: "web"}},
		"get containers":                 nil,
		"get containers -l web":          nil,
		"get -n container container":     nil,
		"get pods web":                   nil,
		"get containers.example.com web": nil,
		"get containers,images":          nil,
		"get app app":                    nil,
		"get imagepullrequest web":       nil,
		"get container/":                 nil,
		"explain container web":          nil,
		"create namespace container/web": nil,
		"apply -f container/web":         nil,
		"label ctr --all a=b":            nil,
		"get --kubeconfig x ctr web":     nil,
		"get --server x ctr web":         nil,
		"get --raw /apis":                nil,
	} {
		if got := (&session{}).parseCtl(strings.Fields(line)).references; !slices.Equal(got, want) {
			t.Errorf("%q: %+v, want %+v", line, got, want)
		}
	}
	if got := (&session{}).parseCtl([]string{"get", "--namespace", "other", "ctr/web"}).namespace; got != "other" {
		t.Errorf("the namespace is %q", got)
	}
}

func TestCtlRefusesMissingInstance(t *testing.T) {
	instancetest.Home(t)
	for _, name := range []string{"typo", "a/b"} {
		code, _, text := rdd(t, "ctl", "get", "containers", "--instance="+name)
		if code == exitDone || !strings.Contains(text, name) {
			t.Errorf("%q: exit code %d: %s", name, code, text)
		}
	}
	inst, err := instance.New("typo")
	if err != nil {
		t.Fatal(err)
	}
	if inst.Exists() {
		t.Error("the refused command has made an instance")
	}
}
