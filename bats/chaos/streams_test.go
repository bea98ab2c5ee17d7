package main

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	utilexec "k8s.io/client-go/util/exec"
)

func TestLogLinesFollowEachOther(t *testing.T) {
	for name, test := range map[string]struct {
		lines []string
		want  string
	}{
		"from the middle":     {[]string{"a 7", "a 8", "a 9"}, ""},
		"lost":                {[]string{"a 7", "a 9"}, "line 9 of run a came instead of 8"},
		"doubled":             {[]string{"a 7", "a 7"}, "line 7 of run a came instead of 8"},
		"next run":            {[]string{"a 7", "b 1", "b 2"}, ""},
		"next run, lost":      {[]string{"a 7", "b 2"}, "line 2 of run b came instead of 1"},
		"damaged":             {[]string{"a 7", "a 8a 9"}, `it has the line "a 8a 9"`},
		"ended with a reason": {[]string{"a 7", logEnd + ": the engine is away"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var s sequence
			var wrong []string
			for _, line := range test.lines {
				if text := s.add(line); text != "" {
					wrong = append(wrong, text)
				}
			}
			got := strings.Join(wrong, "; ")
			if got != test.want || s.isEnded != strings.Contains(name, "reason") {
				t.Errorf("violations %q, ended %t; want %q", got, s.isEnded, test.want)
			}
		})
	}
}

func TestProgramsHaveOutputAndExitCode(t *testing.T) {
	p := program{output: "line 1\nline 2\n", code: 3}
	exit := func(code int) error { return utilexec.CodeExitError{Err: errors.New("exit"), Code: code} }
	for name, test := range map[string]struct {
		output      string
		err         error
		isDisturbed bool
		want        string
	}{
		"complete":              {p.output, exit(3), false, ""},
		"other code":            {p.output, exit(1), false, "its exit code is 1"},
		"no code":               {p.output, nil, false, "its exit code is 0"},
		"cut":                   {"line 1\nli", errors.New("broken"), false, ""},
		"cut, with a code":      {"line 1\n", exit(3), false, "after 7 of 14 bytes"},
		"cut by a fault":        {"line 1\n", exit(3), true, ""},
		"doubled":               {"line 1\nline 1\n", errors.New("broken"), true, "its output is"},
		"engine's reason":       {"cannot exec\r\n", exit(126), true, ""},
		"engine's reason, code": {"cannot exec\r\n", nil, true, "its output is"},
		"killed by a fault":     {"line 1\n", exit(137), true, ""},
		"killed":                {"line 1\n", exit(137), false, "its exit code is 137"},
		"more than everything":  {p.output + "line 3\n", exit(3), true, "its output is"},
	} {
		t.Run(name, func(t *testing.T) {
			got := p.judge(test.output, test.err, test.isDisturbed)
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("violation %q, want %q", got, test.want)
			}
		})
	}
}

func TestLeftProcessesAreThoseOfExec(t *testing.T) {
	speaker := []string{"10", "1", "/bin/sh -c read run </proc/sys/kernel/random/uuid"}
	child, exec := []string{"12", "10", "sleep 0.05"}, []string{"13", "1", "/bin/sh -c i=0"}
	if got := orphansOf([][]string{speaker, child}); len(got) != 0 {
		t.Errorf("the speaker's own programs are left: %q", got)
	}
	if got := orphansOf([][]string{speaker, child, exec}); len(got) != 1 || !strings.Contains(got[0], "i=0") {
		t.Errorf("left are %q", got)
	}
}

func TestGoroutinesOfStreamsAreFound(t *testing.T) {
	profile := "goroutine profile: total 2\n1 @ 0x1\n#\tmain.main\n\n1 @ 0x2\n#\tx/internal/controlplane/streams.(*server).serve\n\n1 @ 0x3\n#\tx/internal/controlplane/streams.OpenAPIV3\n"
	if got := goroutinesOf(profile, "/internal/controlplane/streams.(*server)."); len(got) != 1 {
		t.Errorf("found %q", got)
	}
}

func TestStuckStreamsAreFound(t *testing.T) {
	s := &streams{open: []*stream{
		{what: "a log that continues", isLog: true, received: minute(2)},
		{what: "a log that hangs", isLog: true, received: minute(0)},
		{what: "an exec"},
	}}
	got := strings.Join(s.stuck(minute(1)), "; ")
	if strings.Contains(got, "continues") || !strings.Contains(got, "a log that hangs") || !strings.Contains(got, "an exec") {
		t.Errorf("stuck are %q", got)
	}
}

func TestProgramsAreDrawnFromSeed(t *testing.T) {
	one, two := drawProgram(rand.New(rand.NewPCG(1, 2))), drawProgram(rand.New(rand.NewPCG(1, 2)))
	if one != two || one.output == "" {
		t.Errorf("drew %+v and %+v", one, two)
	}
}
