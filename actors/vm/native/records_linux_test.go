package native

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestParseRecord(t *testing.T) {
	tests := map[string]struct {
		data string
		want record
		ok   bool
	}{
		"its own timeout and signal": {
			`{"ID":"ab","Name":"/db","State":{"Running":true,"Pid":42},"Config":{"StopSignal":"SIGINT","StopTimeout":120}}`,
			record{id: "ab", name: "db", pid: 42, stopTimeout: 2 * time.Minute, stopSignal: "SIGINT"}, true,
		},
		"nothing said": {
			`{"ID":"ab","Name":"/web","State":{"Running":true,"Pid":42},"Config":{}}`,
			record{id: "ab", name: "web", pid: 42, stopTimeout: defaultStopTimeout}, true,
		},
		"at once": {
			`{"ID":"ab","State":{"Running":true,"Pid":42},"Config":{"StopTimeout":0}}`,
			record{id: "ab", pid: 42}, true,
		},
		"never": {
			`{"ID":"ab","State":{"Running":true,"Pid":42},"Config":{"StopTimeout":-1}}`,
			record{id: "ab", pid: 42, stopTimeout: noLimit}, true,
		},
		"longer than time can say": {
			`{"ID":"ab","State":{"Running":true,"Pid":42},"Config":{"StopTimeout":9223372036854775807}}`,
			record{id: "ab", pid: 42, stopTimeout: noLimit}, true,
		},
		"stopped":   {`{"ID":"ab","State":{"Running":false,"Pid":0},"Config":{}}`, record{}, false},
		"no number": {`{"ID":"ab","State":{"Running":true,"Pid":"x"}}`, record{}, false},
		"cut off":   {`{"ID":"ab","State":{"Runn`, record{}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got, ok := parseRecord([]byte(test.data)); got != test.want || ok != test.ok {
				t.Errorf("parseRecord = %+v, %v; want %+v, %v", got, ok, test.want, test.ok)
			}
		})
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(`{"ID":"ab","Name":"/db","State":{"Running":true,"Pid":42},"Config":{"StopSignal":"RTMIN+3","StopTimeout":120}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, ok := parseRecord(data)
		if ok && (r.pid <= 0 || r.stopTimeout < noLimit) {
			t.Errorf("parseRecord = %+v", r)
		}
		if sig := signalNamed(r.stopSignal); sig < 1 || sig > 64 {
			t.Errorf("signal %q is %d", r.stopSignal, sig)
		}
	})
}

func TestLongestStopTimeout(t *testing.T) {
	short, long, never := record{stopTimeout: time.Second}, record{stopTimeout: time.Hour}, record{stopTimeout: noLimit}
	for _, test := range []struct {
		records []record
		want    time.Duration
	}{
		{nil, time.Minute}, {[]record{short}, time.Minute}, {[]record{short, long}, time.Hour}, {[]record{never, long}, noLimit},
	} {
		if got := longestTimeout(test.records, time.Minute); got != test.want {
			t.Errorf("longestTimeout of %v = %s, want %s", test.records, got, test.want)
		}
	}
}

// F9: an engine that does not signal its containers does not get their stop timeouts.
func TestEngineLimitWithoutSignalIgnoresTimeouts(t *testing.T) {
	b := defaultBounds()
	for _, timeout := range []time.Duration{noLimit, 10 * time.Minute} {
		if got := b.engineLimit([]record{{stopTimeout: timeout}}, false); got != b.engine {
			t.Errorf("limit with stop timeout %s = %s, want %s", timeout, got, b.engine)
		}
		if got := b.engineLimit([]record{{stopTimeout: timeout}}, true); got != noLimit && got < timeout {
			t.Errorf("limit of a signalled stop = %s, less than %s", got, timeout)
		}
	}
}

func TestSignalNamed(t *testing.T) {
	for name, want := range map[string]syscall.Signal{
		"": syscall.SIGTERM, "SIGQUIT": syscall.SIGQUIT, "int": syscall.SIGINT, "9": syscall.SIGKILL,
		"SIGRTMIN+3": 37, "RTMAX-1": 63, "RTMIN": 34, "NONE": syscall.SIGTERM, "99": syscall.SIGTERM, "-1": syscall.SIGTERM,
	} {
		if got := signalNamed(name); got != want {
			t.Errorf("signalNamed(%q) = %d, want %d", name, got, want)
		}
	}
}

func TestWaitsForNamesContainers(t *testing.T) {
	since := time.Date(2026, 1, 1, 12, 0, 0, 0, time.Local)
	text := waitsFor([]record{
		{name: "web", pid: 7, stopTimeout: noLimit}, {name: "db", pid: 42, stopTimeout: 2 * time.Minute},
		{name: "x", pid: 8}, {name: "y", pid: 9},
	}, since)
	for _, want := range []string{"db (pid 42), which has until 12:02:00", "web (pid 7), which has no stop timeout", "and 1 more", "kill -KILL"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q lacks %q", text, want)
		}
	}
}
