package main

import (
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

func TestTypeableInsertsInstance(t *testing.T) {
	for _, test := range []struct {
		variable, name, text, want string
	}{
		{"", "2", "run 'rdd svc delete'", "run 'rdd svc delete'"},
		{"", "work", "run 'rdd svc delete'", "run 'rdd --instance work svc delete'"},
		{"work", "work", "run 'rdd svc delete'", "run 'rdd svc delete'"},
		{"work", "2", "run 'rdd svc delete'", "run 'rdd --instance 2 svc delete'"},
		{"", "", "run 'rdd svc delete'", "run 'rdd svc delete'"},
		{"", "work", "'rdd stop' and 'rdd start'", "'rdd --instance work stop' and 'rdd --instance work start'"},
		{"", "work", "'rdd ctl -n a edit container b'", "'rdd --instance work ctl -n a edit container b'"},
		{"", "work", "'rdd --instance work svc start'", "'rdd --instance work svc start'"},
		{"", "work", "process 'rdd' of rdd start, in 'rddx start'", "process 'rdd' of rdd start, in 'rddx start'"},
	} {
		t.Setenv(instance.EnvName, test.variable)
		if got := typeable(test.text, instance.Instance{Name: test.name}); got != test.want {
			t.Errorf("%s, RDD_INSTANCE=%s: %q: %q, want %q", test.name, test.variable, test.text, got, test.want)
		}
	}
}
