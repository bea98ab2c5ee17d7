package client_test

import (
	"strings"
	"testing"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
)

func TestResourceNamePrefersResources(t *testing.T) {
	const container, image, volume, network = containersv1.KindContainer, containersv1.KindImage, containersv1.KindVolume, containersv1.KindNetwork
	objects := []client.NamedObject{
		{Name: "web", ID: "abc111", Resource: "abc111"},
		{Name: "abc111", ID: "fed222", Resource: "fed222"}, // its name is the resource of another one
		{Name: "abc1", ID: "0abc33", Resource: "0abc33"},
		{Name: "app:latest", ID: "123456", Resource: "img-1"},
		{Name: "app:2", ID: "123456", Resource: "img-2"},
		{Name: "twin", ID: "aaaa11", Resource: "net-1"},
		{Name: "twin", ID: "aaaa22", Resource: "net-2"},
		{Name: "My_Data", Resource: "vol-1"},
	}
	for _, test := range []struct {
		kind       containersv1.Kind
		text, want string
	}{
		{container, "web", "abc111"},
		{container, "abc111", "abc111"},
		{container, "abc1", "0abc33"},
		{container, "abc11", "abc111"},
		{container, "fed2", "fed222"},
		{container, "fed", "fed"}, // too short for an ID
		{container, "none", "none"},
		{container, "", ""},
		{image, "app", "img-1"},
		{image, "app:2", "img-2"},
		{container, "app", "app"},
		{image, "sha256:0abc", "0abc33"},
		{network, "aaaa1", "net-1"},
		{volume, "My_Data", "vol-1"},
		{volume, "My_D", "My_D"},
		{network, "net-2", "net-2"},
	} {
		if got, err := client.ResourceName(test.kind, test.text, objects); err != nil || got != test.want {
			t.Errorf("%s %q: %q, %v, want %q", test.kind, test.text, got, err, test.want)
		}
	}
	for text, words := range map[string]string{
		"twin": `"twin" matches 2 images: twin (aaaa11), twin (aaaa22)`, "1234": "app:2 (123456), app:latest (123456)", "aaaa": "twin (aaaa11)",
	} {
		if got, err := client.ResourceName(image, text, objects); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %q, %v, want %q", text, got, err, words)
		}
	}
}

func TestIsResourceName(t *testing.T) {
	digits := strings.Repeat("0123456789abcdef", 4)
	for text, kind := range map[string]containersv1.Kind{
		digits: containersv1.KindContainer, "img-" + digits: containersv1.KindImage,
		"vol-" + digits: containersv1.KindVolume, "net-" + digits: containersv1.KindNetwork,
	} {
		for _, other := range containersv1.Kinds() {
			if other.HasFinalizer() && client.IsResourceName(other, text) != (other == kind) {
				t.Errorf("%s as the name of a %s: %v", text, other, other != kind)
			}
		}
	}
	for _, text := range []string{"", "web", digits[1:], digits + "0", strings.ToUpper(digits)} {
		if client.IsResourceName(containersv1.KindContainer, text) {
			t.Errorf("%q is taken for the name of a resource", text)
		}
	}
}
