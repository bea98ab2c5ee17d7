package failuretext

import (
	"testing"
	"time"
)

func TestSplitSeparatesReason(t *testing.T) {
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.Local)
	const reason = "starting the engine failed: dockerd ended\nlast lines:\n  no space"
	for name, test := range map[string]struct{ message, now, reason string }{
		"failed":   {Waiting(reason, 3, at, 30*time.Second), "rdd retries at 15:04:05 (attempt 3), then with pauses of up to 30s", reason},
		"retrying": {Retrying("starting dockerd", 3, reason), "starting dockerd (attempt 3)", reason},
		"other":    {"starting dockerd", "starting dockerd", ""},
		"lines":    {"the disk is full\nof the VM", "the disk is full\nof the VM", ""},
		"empty":    {"", "", ""},
	} {
		if now, got := Split(test.message); now != test.now || got != test.reason {
			t.Errorf("%s: %q, %q, want %q, %q", name, now, got, test.now, test.reason)
		}
	}
}

func TestShortHasOneLine(t *testing.T) {
	for message, want := range map[string]string{
		Retrying("starting dockerd", 2, "it failed: no space\nlog"): "starting dockerd (attempt 2); previous error: it failed: no space",
		"the disk is full\nof the VM":                               "the disk is full",
		"":                                                          "",
	} {
		if got := Short(message); got != want {
			t.Errorf("%q: %q, want %q", message, got, want)
		}
	}
}

func TestWithoutNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "no": "no", "12:00:01 pid 4711, 0x1f": "0:0:0 pid 0, 0x0f", "é9": "é0",
	} {
		if got := WithoutNumbers(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
