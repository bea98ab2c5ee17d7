package doctor

import (
	"slices"
	"testing"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

func TestUnsharedDirectoriesAreNamed(t *testing.T) {
	bind := func(name string, sources ...string) containersv1.Container {
		c := containersv1.Container{}
		c.Status.Name = name
		for _, source := range sources {
			c.Status.Mounts = append(c.Status.Mounts, containersv1.ContainerMount{Type: "bind", Source: source})
		}
		return c
	}
	volume := bind("db")
	volume.Status.Mounts = []containersv1.ContainerMount{{Type: "volume", Volume: "data", Source: "/data"}}
	got := unshared([]containersv1.Container{
		bind("web", "/home/me/src", "/srv/www"), bind("again", "/srv/www", "/srv/www"), volume,
	}, func(path string) bool { return path != "/home/me/src" })
	if want := []string{"/srv/www (again)", "/srv/www (web)"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
