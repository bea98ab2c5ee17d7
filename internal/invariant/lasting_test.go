package invariant

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// checks returns a check that answers one element per call, and then always the last.
func checks(answers ...any) func(context.Context) ([]Difference, error) {
	return func(context.Context) ([]Difference, error) {
		answer := answers[0]
		if len(answers) > 1 {
			answers = answers[1:]
		}
		if err, ok := answer.(error); ok {
			return nil, err
		}
		found, _ := answer.([]Difference)
		return found, nil
	}
}

func TestLastingIgnoresBriefDifferences(t *testing.T) {
	differs := func(name, value string) Difference {
		return Difference{Problem: Differs, Kind: containersv1.KindContainer, Name: name, Field: "status", Mirror: value}
	}
	waits := func(age time.Duration) Difference {
		return Difference{Problem: WaitingState, Kind: containersv1.KindContainer, Name: "w", Age: age}
	}
	broken := errors.New("check failed")
	for name, test := range map[string]struct {
		answers []any
		want    int
		err     error
	}{
		"nothing":             {[]any{[]Difference(nil)}, 0, nil},
		"in flight":           {[]any{[]Difference{differs("a", "1")}, []Difference{differs("b", "1")}}, 0, nil},
		"lasting, by value":   {[]any{[]Difference{differs("a", "1"), differs("b", "1")}, []Difference{differs("a", "2")}}, 1, nil},
		"an error in between": {[]any{[]Difference{differs("a", "1")}, broken, []Difference{differs("a", "1")}}, 1, nil},
		"errors only":         {[]any{broken}, 0, broken},
		"a young request":     {[]any{[]Difference{waits(time.Second)}}, 0, nil},
		"an old request":      {[]any{[]Difference{waits(time.Minute)}}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				found, err := Lasting(ctx, 10*time.Second, 100*time.Millisecond, checks(test.answers...))
				if len(found) != test.want || !errors.Is(err, test.err) {
					t.Errorf("found %v, %v", found, err)
				}
			})
		})
	}
}
