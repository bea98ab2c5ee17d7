package ctlargs_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/api/crds"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/ctlargs"
)

// All names of the definitions are known, and no names of other kinds.
func TestKindsHaveNamesOfDefinitions(t *testing.T) {
	files, err := crds.FS.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := crds.FS.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(data, &crd); err != nil {
			t.Fatal(err)
		}
		names := crd.Spec.Names
		want := containersv1.Kind(names.Kind)
		if !slices.Contains(containersv1.Kinds(), want) || !want.HasFinalizer() {
			want = ""
		}
		for _, text := range append([]string{names.Kind, names.Plural, names.Singular, names.Plural + "." + crd.Spec.Group}, names.ShortNames...) {
			if got := ctlargs.KindOf(text); got != want {
				t.Errorf("%s is %q, want %q", text, got, want)
			}
		}
	}
	for _, text := range []string{"", "pod", "containers.example.com", "ctr.containers.rancherdesktop.io", "containers.v1.containers.rancherdesktop.io"} {
		if got := ctlargs.KindOf(text); got != "" {
			t.Errorf("%q is %q", text, got)
		}
	}
}

// References never change an argument that the command reads in another way.
func FuzzReferences(f *testing.F) {
	for _, line := range []string{"get ctr web", "-n x get -o=json ctr/web", "get -- ctr web", "get -abc", "get --x --y ctr/", "get -n"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := strings.Split(line, " ")
		root := &cobra.Command{Use: "kubectl", SilenceErrors: true, SilenceUsage: true}
		get := &cobra.Command{Use: "get", Run: func(*cobra.Command, []string) {}}
		get.Flags().StringP("output", "o", "", "")
		get.Flags().BoolP("all-namespaces", "A", false, "")
		root.PersistentFlags().StringP("namespace", "n", "", "")
		root.AddCommand(get)
		found, rest, err := root.Find(args)
		if err != nil || found.ParseFlags(rest) != nil {
			return
		}
		for _, r := range ctlargs.References(found, args) {
			if r.Name == "" || args[r.Arg] != r.Type+r.Name || !slices.Contains(found.Flags().Args(), args[r.Arg]) {
				t.Errorf("%q: %+v", args, r)
			}
		}
	})
}
