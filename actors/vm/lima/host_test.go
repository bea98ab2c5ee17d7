package lima

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

func TestAvailableRefusesVMLargerThanHost(t *testing.T) {
	host := hostSize{cpus: 4, memory: 8 << 30}
	for _, test := range []struct {
		host hostSize
		vm   messages.VMProperties
		want string
	}{
		{host, messages.VMProperties{CPUs: 4, Memory: 8 << 30}, ""},
		{host, messages.VMProperties{CPUs: 5, Memory: 1 << 30}, "set 4 at most"},
		{host, messages.VMProperties{CPUs: 1, Memory: 8<<30 + 1<<20}, "rdd set vm.memory=4096Mi"},
		{hostSize{cpus: 1}, messages.VMProperties{CPUs: 2, Memory: 1 << 50}, ""},
		{hostSize{cpus: 1}, messages.VMProperties{CPUs: 3}, "set 2 at most"},
	} {
		err := test.host.check(test.vm)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v on %+v: %v, want %q", test.vm, test.host, err, test.want)
		}
	}
	if here := thisHost(); here.cpus < 1 || here.memory < 1<<20 {
		t.Errorf("this machine has %+v", here)
	}
}

// Available compares the properties with this machine, also when programs are missing.
func TestAvailableChecksHostSize(t *testing.T) {
	d := New(Config{
		Home: t.TempDir(), Socket: filepath.Join(t.TempDir(), "docker.sock"), Program: []string{"/nowhere/rdd"},
		Getenv: func(string) string { return "" },
	})
	spec := someSpec()
	spec.VM.CPUs = 1 << 20
	if _, err := d.Available(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "vm.cpus=1048576: this machine has") {
		t.Errorf("Available: %v", err)
	}
}
