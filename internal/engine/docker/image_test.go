package docker

import (
	"slices"
	"testing"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

func TestMapImages(t *testing.T) {
	raw := `{"Id": "sha256:abc", "RepoTags": ["two:1", "one:A", "two:1"], "RepoDigests": ["two@sha256:2", "one@sha256:1"],
	 "Created": "1970-01-01T00:00:00Z", "Architecture": "arm64", "Os": "linux", "Size": 12, "Config": {"Labels": {"n": "1"}}}`
	images, err := mapImages([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if len(images) != 2 || images[0].Status.RepoTag != "one:A" || images[1].Status.RepoTag != "two:1" {
		t.Fatalf("got %+v", images)
	}
	one := images[0]
	status := one.Status
	if one.Name != containersv1.ImageResourceName("sha256:abc", "one:A") ||
		status.ID != "sha256:abc" || status.Namespace != "moby" || status.Architecture != "arm64" || status.OS != "linux" ||
		status.Size != 12 || status.Labels["n"] != "1" || status.CreatedAt == nil ||
		!slices.Equal(status.RepoDigests, []string{"one@sha256:1", "two@sha256:2"}) {
		t.Errorf("got %+v", one)
	}
	if one.DisplayName() != "one:A" {
		t.Errorf("DisplayName = %q", one.DisplayName())
	}
}

// Row E3.
func TestMapUntaggedImages(t *testing.T) {
	for name, tags := range map[string]string{
		"none":                    `null`,
		"empty":                   `[]`,
		"placeholder":             `["<none>:<none>"]`,
		"containerd, by digest":   `["busybox@sha256:abc"]`,
		"containerd, placeholder": `["<none>@sha256:abc", ""]`,
		"placeholder of one half": `["busybox:<none>"]`,
	} {
		images, err := mapImages([]byte(`{"Id": "sha256:abc", "RepoDigests": ["<none>@<none>"], "RepoTags": ` + tags + `}`))
		if err != nil || len(images) != 1 {
			t.Errorf("%s: got %+v, %v", name, images, err)
			continue
		}
		status := images[0].Status
		if status.RepoTag != "" || status.RepoDigests != nil || status.CreatedAt != nil ||
			images[0].Name != containersv1.ImageResourceName("sha256:abc", "") || images[0].DisplayName() != "sha256:abc" {
			t.Errorf("%s: got %+v", name, images[0])
		}
	}
	if _, err := mapImages([]byte(`{"RepoTags": ["a:1"]}`)); err == nil {
		t.Error("an image without ID was mapped")
	}
}

func TestMapVolumes(t *testing.T) {
	raw := `{"Volumes": [
	  {"Name": "z", "Driver": "local", "Scope": "local", "Mountpoint": "/z", "CreatedAt": "2026-11-23T12:55:17Z", "Labels": null, "Options": null},
	  null, {"Driver": "broken"},
	  {"Name": "My_Volume", "Driver": "nfs", "Scope": "global", "Labels": {"a": "b"}, "Options": {"o": "p"}, "CreatedAt": "0001-01-01T00:00:00Z"}
	 ], "Warnings": ["driver x is asleep"]}`
	volumes, warnings, err := mapVolumes([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if len(volumes) != 2 || len(warnings) != 3 {
		t.Fatalf("got %+v, %q", volumes, warnings)
	}
	mine, z := volumes[0].Mirror.(*containersv1.Volume), volumes[1].Mirror.(*containersv1.Volume)
	if mine.Name != containersv1.VolumeResourceName("My_Volume") || mine.Status.Name != "My_Volume" || mine.Status.Scope != "global" ||
		mine.Status.Labels["a"] != "b" || mine.Status.Options["o"] != "p" || mine.Status.CreatedAt != nil || mine.Status.Driver != "nfs" {
		t.Errorf("C1: got %+v", mine)
	}
	if z.Status.Labels != nil || z.Status.Options != nil || z.Status.CreatedAt == nil || z.Status.Mountpoint != "/z" {
		t.Errorf("got %+v", z)
	}
}

func TestListedSameAs(t *testing.T) {
	read := func(tags ...string) []*containersv1.Image {
		var images []*containersv1.Image
		for _, tag := range tags {
			image := &containersv1.Image{}
			image.Status.ID, image.Status.RepoTag, image.Status.RepoDigests = "i", tag, []string{"a@1"}
			images = append(images, image)
		}
		return images
	}
	digests := []string{"a@1"}
	for name, tc := range map[string]struct {
		listed Listed
		read   []*containersv1.Image
		want   bool
	}{
		"never read":         {Listed{ID: "i", Digests: digests}, nil, false},
		"untagged":           {Listed{ID: "i", Digests: digests}, read(""), true},
		"in another order":   {Listed{ID: "i", Tags: []string{"a", "b"}, Digests: digests}, read("b", "a"), true},
		"a tag more":         {Listed{ID: "i", Tags: []string{"a", "b"}, Digests: digests}, read("a"), false},
		"a tag less":         {Listed{ID: "i", Tags: []string{"a"}, Digests: digests}, read("a", "b"), false},
		"lost its last tag":  {Listed{ID: "i", Digests: digests}, read("a"), false},
		"another digest":     {Listed{ID: "i", Tags: []string{"a"}, Digests: []string{"a@2"}}, read("a"), false},
		"another image's ID": {Listed{ID: "j", Tags: []string{"a"}, Digests: digests}, read("a"), false},
	} {
		if got := tc.listed.SameAs(tc.read); got != tc.want {
			t.Errorf("%s: %t, want %t", name, got, tc.want)
		}
	}
}
