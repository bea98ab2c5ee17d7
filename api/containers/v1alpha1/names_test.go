package v1alpha1

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Row C1: every name of an object, also an illegal one, becomes a valid name of a
// resource, and different names stay different.
func TestResourceNameAlwaysValid(t *testing.T) {
	names := []string{
		"My_Volume", "my_volume", "my.volume", "my-volume", "V", strings.Repeat("x", 255), strings.Repeat("X", 255),
		"UPPER.lower_0", "-", "ü", "a/b", "registry.example.com:5000/Team_A/app:V1.0_rc", "busybox@sha256:0",
	}
	seen := map[string]string{}
	check := func(resource, of string) {
		t.Helper()
		if complaints := validation.IsDNS1123Subdomain(resource); complaints != nil {
			t.Errorf("%q becomes %q: %v", of, resource, complaints)
		}
		if other, taken := seen[resource]; taken {
			t.Errorf("%q and %q both become %q", other, of, resource)
		}
		seen[resource] = of
	}
	const id = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	check(ImageResourceName(id, ""), id)
	for _, name := range names {
		check(VolumeResourceName(name), "volume "+name)
		check(NetworkResourceName(name), "network "+name)
		check(ImageResourceName(id, name), "tag "+name)
		check(ImageResourceName("sha256:"+name, name), "tag "+name+" of another image")
	}
	// What the API promises, as sha256sum computes it.
	const volume, image = "vol-e5772204bee45700b6c05128c3587410be40f74326543fdb9ef88835aa7e2deb", "img-d2a79cffebab886ebea29afc7da356858963f915917bd1b9cffc69583c1b1777"
	if got := VolumeResourceName("My_Volume"); got != volume {
		t.Errorf("My_Volume becomes %q", got)
	}
	if got := ImageResourceName("id", "My:Tag"); got != image {
		t.Errorf("My:Tag of id becomes %q", got)
	}
}
