package supervisor

import "testing"

// The mirrors of both homes are counted, apart.
func TestActorsHaveHomeAndRole(t *testing.T) {
	for name, want := range map[string]part{
		"root":                               {"local", "root"},
		"root/vm":                            {"local", "vm"},
		"root/engine/session":                {"local", "session"},
		"root/engine/container/4f5e":         {"local", "container"},
		"root/requests/imagepullrequest/n/a": {"local", "imagepullrequest"},
		"root/hub":                           {"hub", "hub"},
		"root/hub/lease":                     {"hub", "lease"},
		"root/hub/engine":                    {"hub", "engine"},
		"root/hub/engine/session":            {"hub", "session"},
		"root/hub/engine/container/4f5e":     {"hub", "container"},
		"root/hub/requests/prunerequest/n/a": {"hub", "prunerequest"},
	} {
		if got := partOf(name); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
