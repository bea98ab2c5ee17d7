package docker

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// checkStorable fails unless the API server would take the object and give it
// back as it is.
func checkStorable(t *testing.T, object, again containersv1.Mirror) {
	t.Helper()
	if complaints := validation.IsDNS1123Subdomain(object.GetName()); len(complaints) > 0 {
		t.Fatalf("bad name %q: %v", object.GetName(), complaints)
	}
	encoded, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(encoded) {
		t.Fatalf("not UTF-8: %q", encoded)
	}
	if err := json.Unmarshal(encoded, again); err != nil {
		t.Fatalf("decode %s: %v", encoded, err)
	}
	if !equality.Semantic.DeepEqual(object, again) {
		t.Fatalf("changed on the way:\n%+v\n%+v", object, again)
	}
}

func FuzzMapContainer(f *testing.F) {
	f.Add([]byte(inspected))
	f.Add([]byte(`{"Id":"a","Name":"//\ud800","State":{"Status":"paused","ExitCode":-1e400}}`))
	f.Add([]byte(`{"Id":"a","Created":"9999-12-31T23:59:59.9999999-23:59","Config":{"Labels":{"\u0000":"\xff"}}}`))
	f.Add([]byte(`{"Id":"a","NetworkSettings":{"Ports":{"1/tcp":[{"HostPort":"99999"},{},null]}},"HostConfig":{"PortBindings":{"0001/":[]}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		object, err := mapContainer(raw)
		if err != nil {
			return
		}
		checkStorable(t, object, &containersv1.Container{})
		if containerState(string(object.Status.Status)) != object.Status.Status {
			t.Fatalf("bad state %q", object.Status.Status)
		}
		for _, port := range object.Status.Ports {
			if port.ContainerPort < 0 || port.ContainerPort > 65535 {
				t.Fatalf("bad port %+v", port)
			}
		}
		for _, c := range object.Status.Conditions {
			if c.Status != metav1.ConditionTrue && c.Status != metav1.ConditionFalse || c.Reason == "" {
				t.Fatalf("bad condition %+v", c)
			}
		}
	})
}

func FuzzMapImages(f *testing.F) {
	f.Add([]byte(`{"Id":"sha256:1","RepoTags":["a:1","<none>:<none>"],"RepoDigests":[null,"x@y"],"Config":null,"Size":-1}`))
	f.Add([]byte(`{"Id":"\ud800","RepoTags":["\ud800"],"Created":"0001-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		objects, err := mapImages(raw)
		if err != nil {
			return
		}
		if len(objects) == 0 {
			t.Fatal("no image and no error")
		}
		names := make(map[string]bool)
		for _, object := range objects {
			checkStorable(t, object, &containersv1.Image{})
			if names[object.Name] || object.Status.Size < 0 {
				t.Fatalf("bad image %+v", object)
			}
			names[object.Name] = true
		}
	})
}

func FuzzMapVolumes(f *testing.F) {
	f.Add([]byte(`{"Volumes":[{"Name":"v","Labels":{"a":null},"CreatedAt":"2026-11-23T12:55:17+24:00"},{}],"Warnings":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		objects, _, err := mapVolumes(raw)
		if err != nil {
			return
		}
		for _, object := range objects {
			checkStorable(t, object.Mirror, &containersv1.Volume{})
		}
	})
}
