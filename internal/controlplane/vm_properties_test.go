package controlplane_test

import (
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	appv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

// Valid properties of a VM are accepted and invalid ones refused.
func TestVMPropertiesValidated(t *testing.T) {
	user := dynamicClient(t, controlplanetest.Start(t).RESTConfig())
	must(t, user, apps(), newApp(nil))
	for _, test := range []struct {
		vm   string
		want string // part of the message; "" is allowed
	}{
		{`{"cpus":4,"memory":"512Mi","disk":"4Gi"}`, ""},
		{`{"memory":1073741824}`, ""},
		{`{"memory":"1.5Gi"}`, ""},
		{`{"memory":"511Mi"}`, "at least 512Mi"},
		{`{"memory":1}`, "at least 512Mi"},
		{`{"memory":"-4Gi"}`, "at least 512Mi"},
		{`{"memory":"4GB"}`, "spec.vm.memory"},
		{`{"memory":"lots"}`, "spec.vm.memory"},
		{`{"disk":"3Gi"}`, "at least 4Gi"},
		{`{"cpus":0}`, "greater than or equal to 1"},
		{`{"cpus":65}`, "less than or equal to 64"},
		{`{"image":"cloud"}`, ""},
		{`{"image":"/some/dir"}`, ""},
		{`{"image":"some/dir"}`, "the absolute path"},
		{`{"acceleration":"tcg","driver":"lima"}`, ""},
		{`{"acceleration":"warp"}`, `"tcg"`},
		{`{"mounts":[]}`, ""},
		{`{"mounts":["~/work:w","/data/Bücher","/var/home/me:r"]}`, ""},
		{`{"mounts":["work"]}`, "an absolute path or ~"},
		{`{"mounts":["~","/a/../etc"]}`, "an absolute path or ~"},
		{`{"mounts":["/a b:w"]}`, "an absolute path or ~"},
		{`{"mounts":["/a,b"]}`, "an absolute path or ~"},
		{`{"mounts":["/a:rw"]}`, "with :w at its end"},
		{`{"mounts":["/usr/share:w"]}`, "vm.mounts must not have /usr/share:w, because the VM has files of its own there"},
		{`{"mounts":["/var"]}`, "files of its own"},
		{`{"mounts":["/home/rdd"]}`, "files of its own"},
		{`{"mounts":["~","~:w"]}`, "a directory twice"},
		{`{"mounts":["~:w","~/work"]}`, "for reading below one with :w"},
		{`{"mounts":["~/work/a:w","~/work:w","~/work2","~"]}`, ""},
		{`{"idleStop":"10m"}`, ""},
		{`{"idleStop":"1h30m"}`, ""},
		{`{"idleStop":"0"}`, ""},
		{`{"idleStop":"0s"}`, ""},
		{`{"idleStop":""}`, ""},
		{`{"idleStop":"59s"}`, "a time of at least 1m"},
		{`{"idleStop":"10"}`, "a time of at least 1m"},
		{`{"idleStop":"-10m"}`, "a time of at least 1m"},
		{`{"idleStop":"soon"}`, "a time of at least 1m"},
		{`{"idleStop":"9999999h"}`, "a time of at least 1m"},
		{`{"restart":"2025-01-02T03:04:05.123456789Z","reset":"x"}`, ""},
		{`{"reset":"` + strings.Repeat("x", 65) + `"}`, "may not be more than 64"},
	} {
		err := patch(apps(), "", "app", `{"spec":{"vm":`+test.vm+`}}`)(t.Context(), user)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s was rejected: %v", test.vm, err)
		case test.want != "" && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want %q", test.vm, err, test.want)
		}
	}
}

// A valid range for the engine's networks is accepted and an invalid one refused.
func TestEngineSubnetValidated(t *testing.T) {
	user := dynamicClient(t, controlplanetest.Start(t).RESTConfig())
	must(t, user, apps(), newApp(nil))
	for subnet, allowed := range map[string]bool{
		"": true, "10.0.0.0/8": true, "10.99.0.0/16": true, "172.16.0.0/12": true, "192.168.240.0/20": true, "100.64.0.0/10": true, "198.19.0.0/16": true,
		"10.99.0.1/16": false, "10.99.0.0": false, "10.99.0.0/21": false, "8.0.0.0/8": false, "8.8.0.0/16": false, "172.0.0.0/8": false,
		"0.0.0.0/0": false, "fd00::/16": false, "10.099.0.0/16": false, "auto": false, " ": false,
	} {
		err := patch(apps(), "", "app", `{"spec":{"containerEngine":{"subnet":"`+subnet+`"}}}`)(t.Context(), user)
		if allowed && err != nil || !allowed && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "containerEngine.subnet must be empty, or")) {
			t.Errorf("%q: %v", subnet, err)
		}
	}
}

// A new App has the documented defaults.
func TestVMDefaults(t *testing.T) {
	user := dynamicClient(t, controlplanetest.Start(t).RESTConfig())
	// The daemon creates the App like this: from the Go type, with no field set.
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&appv1alpha1.App{
		TypeMeta:   metav1.TypeMeta{APIVersion: appv1alpha1.GroupVersion.String(), Kind: "App"},
		ObjectMeta: metav1.ObjectMeta{Name: appv1alpha1.AppName},
	})
	if err != nil {
		t.Fatal(err)
	}
	must(t, user, apps(), &unstructured.Unstructured{Object: fields})
	got, err := user.Resource(apps()).Get(t.Context(), appv1alpha1.AppName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var app appv1alpha1.App
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(got.Object, &app); err != nil {
		t.Fatal(err)
	}
	vm := app.Spec.VM
	if vm.CPUs != 2 || vm.Memory.Value() != 2<<30 || vm.Disk.Value() != 64<<30 || vm.Acceleration != appv1alpha1.AccelerationAuto ||
		!slices.Equal(vm.Mounts, []string{"~"}) {
		t.Errorf("the defaults are %+v", vm)
	}
}
