package engine

import (
	"strings"
	"testing"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

func TestExitReason(t *testing.T) {
	now := metav1.NowMicro()
	ended := func(code int32) containersv1.ContainerStatus {
		return containersv1.ContainerStatus{Status: containersv1.ContainerExited, ExitCode: code, FinishedAt: &now}
	}
	with := func(s containersv1.ContainerStatus, change func(*containersv1.ContainerStatus)) containersv1.ContainerStatus {
		change(&s)
		return s
	}
	tests := []struct {
		status containersv1.ContainerStatus
		want   string
	}{
		{ended(0), "completed"},
		{ended(1), "exited with code 1"},
		{ended(125), "exited with code 125"},
		{ended(126), "exited with code 126 (command cannot be executed)"},
		{ended(127), "exited with code 127 (command not found)"},
		{ended(128), "exited with code 128"},
		{ended(137), "ended by signal 9 (SIGKILL)"},
		{ended(143), "ended by signal 15 (SIGTERM)"},
		{ended(128 + 64), "ended by signal 64"},
		{ended(255), "exited with code 255"},
		{ended(-1), "exited with code -1"},
		{with(ended(137), func(s *containersv1.ContainerStatus) {
			s.Conditions = []metav1.Condition{{Type: containersv1.ConditionOOMKilled, Status: metav1.ConditionTrue}}
		}), "killed because it was out of memory"},
		{with(ended(127), func(s *containersv1.ContainerStatus) { s.Error = "no such file" }), "failed to start"},
		{with(ended(1), func(s *containersv1.ContainerStatus) { s.Status = containersv1.ContainerRestarting }), "exited with code 1"},
		{with(ended(1), func(s *containersv1.ContainerStatus) { s.Status = containersv1.ContainerRunning }), ""},
		{with(ended(1), func(s *containersv1.ContainerStatus) { s.Status = containersv1.ContainerPaused }), ""},
		{containersv1.ContainerStatus{Status: containersv1.ContainerCreated}, ""},
		{containersv1.ContainerStatus{Status: containersv1.ContainerCreated, Error: "no such file"}, "failed to start"},
	}
	for _, test := range tests {
		if got := ExitReason(&test.status); got != test.want {
			t.Errorf("ExitReason(%+v) = %q, want %q", test.status, got, test.want)
		}
	}
}

func TestCutOutput(t *testing.T) {
	const limit = containersv1.MaxHealthOutput
	for in, want := range map[string]int{
		"": 0, "short": 5, strings.Repeat("x", limit): limit, strings.Repeat("x", limit+1): limit,
		strings.Repeat("é", limit): limit, "x" + strings.Repeat("é", limit): limit - 1, "x" + strings.Repeat("😀", limit): limit - 3,
	} {
		if got := CutOutput(in); len(got) != want || !utf8.ValidString(got) || !strings.HasPrefix(in, got) {
			t.Errorf("CutOutput(%.9q…) has %d bytes, want %d", in, len(got), want)
		}
	}
}

func TestHumanSize(t *testing.T) {
	for size, want := range map[int64]string{0: "0B", 999: "999B", 4_264_152: "4.26MB", 1_500_000_000: "1.5GB"} {
		if got := HumanSize(size); got != want {
			t.Errorf("HumanSize(%d) = %q, want %q", size, got, want)
		}
	}
}
