package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestSilenceHasNoEffects(t *testing.T) {
	box := func(resourceVersion string, isPending bool) map[string]version {
		return map[string]version{"Container/abc": {resourceVersion: resourceVersion, objects: []string{"Container/abc"}, isPending: isPending}}
	}
	start := []change{{method: http.MethodPost, path: "/v1.41/containers/abc/start", began: minute(2)}}
	earlier := []change{{method: http.MethodPost, path: "/v1.41/containers/abc/start", began: minute(0)}}
	for name, test := range map[string]struct {
		before, after map[string]version
		calls         []change
		event         float64
		want          string
	}{
		"nothing":            {box("1", false), box("1", false), nil, 0, ""},
		"written":            {box("1", false), box("2", false), nil, 0, "was written in the silence"},
		"removed":            {box("1", false), nil, nil, 0, "was removed"},
		"created":            {nil, box("1", false), nil, 0, "was created"},
		"called":             {box("1", false), box("1", false), start, 0, "rdd sent POST"},
		"called before":      {box("1", false), box("1", false), earlier, 0, ""},
		"started":            {box("1", false), box("1", false), nil, 2, "had events"},
		"started before":     {box("1", false), box("1", false), nil, 0.5, ""},
		"pending is retried": {box("1", true), box("2", true), start, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			events := newEngineLog()
			if test.event > 0 {
				events.add(startEvent, "abc", minute(test.event))
			}
			got := strings.Join(disturbances(test.before, test.after, test.calls, events, minute(1)), "; ")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("violations %q, want %q", got, test.want)
			}
		})
	}
}
