package streams

import (
	"errors"
	"net/url"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Any query is understood, or refused with a sentence and status 400.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		"", "follow", "tailLines=5&follow=true", "tailLines=-5", "sinceSeconds=99999999999999", "sinceTime=0001-01-01T00:00:00Z",
		"stream=Stderr&limitBytes=9", "command=sh&command=-c&stdin=1&tty=t", "stdin=0&stdout=0&stderr=0&command=a", "%zz", "command=%00",
	} {
		f.Add(seed)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		values, _ := url.ParseQuery(text)
		log, err := parseLog(values, now)
		checkRefusal(t, err)
		if err == nil {
			switch {
			case log.Tail != nil && *log.Tail < 0, log.limit != nil && *log.limit < 1, !log.Stdout && !log.Stderr:
				t.Errorf("%q: %+v", text, log)
			case !log.Since.IsZero() && log.Since.Year() < 1900:
				t.Errorf("%q: since %s", text, log.Since)
			}
		}
		for _, subresource := range []string{exec, attach} {
			remote, err := parseRemote(values, subresource)
			checkRefusal(t, err)
			if err == nil && (subresource == exec && len(remote.command) == 0 || !remote.stdin && !remote.stdout && !remote.stderr) {
				t.Errorf("%q: %+v", text, remote)
			}
		}
		_, err = parseStats(values)
		checkRefusal(t, err)
	})
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var status *apierrors.StatusError
	if err != nil && (!errors.As(err, &status) || status.ErrStatus.Code != 400 || status.ErrStatus.Message == "") {
		t.Errorf("refused with %v", err)
	}
}
