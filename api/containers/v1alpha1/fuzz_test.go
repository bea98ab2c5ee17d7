package v1alpha1

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

// FuzzResourceNames is row C1 for whatever an engine may call its objects: each
// gets a name that Kubernetes takes, and no two the same.
func FuzzResourceNames(f *testing.F) {
	f.Add("My_Volume", "my_volume", "A:Tag")
	f.Add("", "\x00", "é\xff")
	f.Add("sha256:1", "sha256:1\x00a", "a")
	f.Fuzz(func(t *testing.T, one, other, tag string) {
		names := map[string]string{
			VolumeResourceName(one): "volume", VolumeResourceName(other): "other volume",
			ImageResourceName(one, tag): "image", ImageResourceName(other, tag): "other image",
			ImageResourceName(one, ""): "image without a tag", ImageResourceName(other, ""): "other image without a tag",
		}
		for name, of := range names {
			if complaints := validation.IsDNS1123Subdomain(name); len(complaints) > 0 {
				t.Errorf("%s %q: %v", of, name, complaints)
			}
		}
		want := 6
		if one == other {
			want /= 2
		}
		if tag == "" { // the image is the one without a tag
			want = want * 2 / 3
		}
		// No engine has an ID with a NUL in it, which keeps ID and tag apart.
		if len(names) != want && !strings.Contains(one+other+tag, "\x00") {
			t.Errorf("%q, %q, %q: %d names, want %d", one, other, tag, len(names), want)
		}
	})
}
