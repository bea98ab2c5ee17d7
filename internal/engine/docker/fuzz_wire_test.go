package docker

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/endpoint"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/endpoint/endpointtest"
)

// FuzzMapEvent makes up lines of the engine's event stream. An event must name an
// object, for the session reads the object that it names, and a time from which the
// next subscription can begin.
func FuzzMapEvent(f *testing.F) {
	f.Add([]byte(`{"Type":"container","Action":"start","Actor":{"ID":"a","Attributes":{"name":"b"}},"time":1700000000,"timeNano":1700000000000000001}`))
	f.Add([]byte(`{"Type":"container","Action":"commit","Actor":{"ID":"a","Attributes":{"imageID":"sha256:1"}},"time":-1}`))
	f.Add([]byte(`{"Type":"container","Action":"exec_create: sh -c x","Actor":{"ID":"a"}}`))
	f.Add([]byte(`{"status":"untag","id":"sha256:1","Type":"image","Action":"untag","Actor":{"ID":"sha256:1","Attributes":null},"timeNano":9223372036854775807}`))
	f.Add([]byte(`{"Type":"volume","Action":"prune","Actor":{"ID":"","Attributes":{"reclaimed":"0"}}}`))
	f.Add([]byte(`{"Type":"network","Action":"connect","Actor":{"ID":"n","Attributes":{"container":"c"}}}`))
	f.Add([]byte(`{"Type":"network","Action":"destroy","Actor":{"ID":""}}`))
	f.Add([]byte(`{"Type":"volume","Action":"destroy","Actor":{"ID":"\ud800"},"time":99999999999999}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var message events.Message
		if json.Unmarshal(raw, &message) != nil {
			return
		}
		event, ok := MapEvent(message)
		if !ok {
			if event != (Event{}) {
				t.Fatalf("an event that is left out is %+v", event)
			}
			return
		}
		if event.ID == "" && event.Kind == containersv1.KindContainer || event.Kind == "" || !utf8.ValidString(event.ID) {
			t.Fatalf("bad event %+v", event)
		}
	})
}

// FuzzMapInfo decodes any description of an engine.
func FuzzMapInfo(f *testing.F) {
	f.Add([]byte(`{"ServerVersion":"20.10.24","SystemTime":"2026-11-23T12:55:17.123456789Z"}`))
	f.Add([]byte(`{"ServerVersion":7,"SystemTime":"0001-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		info, err := mapInfo(raw)
		if err != nil {
			return
		}
		if !info.SystemTime.IsZero() && (info.SystemTime.Year() < 1 || info.SystemTime.Year() > 9999) {
			t.Fatalf("the engine's clock shows %v", info.SystemTime)
		}
		if !utf8.ValidString(info.Version) {
			t.Fatalf("not UTF-8: %+v", info)
		}
	})
}

// FuzzMapListed makes up lists of containers.
func FuzzMapListed(f *testing.F) {
	f.Add([]byte(`[{"Id":"a"},{"Id":"a"},{"Id":""},{},null,{"Id":7}]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		listed, _, err := mapListed(raw)
		if err != nil {
			return
		}
		var ids []string
		for _, object := range listed {
			ids = append(ids, object.ID)
		}
		slices.Sort(ids)
		if slices.Contains(ids, "") || len(slices.Compact(slices.Clone(ids))) != len(ids) {
			t.Fatalf("IDs %q", ids)
		}
	})
}

// FuzzListedImages compares an image in a list with its inspection. They must be the
// same for the same image, which would otherwise be inspected at every sync, and differ
// for any other image.
func FuzzListedImages(f *testing.F) {
	f.Add([]byte(`{"Id":"sha256:1","RepoTags":["b:1","a:1","a:1"],"RepoDigests":["x@y","<none>@<none>"]}`), "sha256:1", "a:1")
	f.Add([]byte(`{"Id":"\ud800","RepoTags":["<none>:<none>","\ud800",null,""],"RepoDigests":null}`), "", "")
	f.Fuzz(func(t *testing.T, raw []byte, id, tag string) {
		images, err := mapImages(raw)
		if err != nil {
			return
		}
		listed, _, err := mapListed(slices.Concat([]byte("["), raw, []byte("]")))
		if err != nil || len(listed) > 1 {
			t.Fatalf("listed %+v: %v", listed, err)
		}
		for _, l := range listed {
			if !l.SameAs(images) {
				t.Fatalf("listed %+v, inspected %+v", l, images)
			}
			other := Listed{ID: id, Tags: append(slices.Clone(l.Tags), tag), Digests: l.Digests}
			if other.SameAs(images) {
				t.Fatalf("%+v is taken for %+v", other, l)
			}
		}
	})
}

// FuzzEndpoint makes up endpoints as a user may set them. What is taken must be
// something that moby's client takes too, and no words of an endpoint may get
// lost on the way to it.
func FuzzEndpoint(f *testing.F) {
	for _, seed := range append(endpointtest.Valid(), endpointtest.Invalid()...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		at, err := endpoint.Parse(raw)
		if err != nil {
			return
		}
		host := clientHost(at)
		if strings.HasPrefix(host, "unix://") != strings.HasPrefix(raw, "unix://") {
			t.Fatalf("%q: %+v", raw, at)
		}
		if _, err := client.ParseHostURL(host); err != nil {
			t.Fatalf("%q became %q, which is none: %v", raw, host, err)
		}
		if at.Socket == "" {
			if u, err := url.Parse(host); err != nil || u.Port() == "" {
				t.Fatalf("%q became %q: %v", raw, host, err)
			}
		}
	})
}

// FuzzTimes reads times, and writes the time from which events are requested.
func FuzzTimes(f *testing.F) {
	f.Add("2026-11-23T12:55:17.000000001+23:59")
	f.Add("0000-12-31T23:59:59Z")
	f.Add("9999-12-31T23:59:59.999999999-23:59")
	f.Fuzz(func(t *testing.T, text string) {
		at, ok := parseTime(text)
		if !ok {
			return
		}
		if _, err := at.MarshalJSON(); err != nil {
			t.Fatalf("%q cannot be written: %v", text, err)
		}
		if again, ok := parseTime(at.Format(time.RFC3339Nano)); !ok || !again.Equal(at) {
			t.Fatalf("%q: %v, then %v", text, at, again)
		}
		if since := timestamp(at); !strings.Contains(since, ".") {
			t.Fatalf("%q: since %q", text, since)
		}
	})
}

// FuzzRefusal maps any words of an engine that refuses. Users read them in a condition,
// which has a limited length and holds only UTF-8.
func FuzzRefusal(f *testing.F) {
	f.Add(clientPrefix + "conflict: \xff")
	f.Add(strings.Repeat("✗", maxWords))
	f.Fuzz(func(t *testing.T, words string) {
		for _, err := range []error{refused(errors.New(words)), failed("remove it", errors.New(words))} {
			if got := err.Error(); !utf8.ValidString(got) || len(got) > 2*maxWords {
				t.Fatalf("%d bytes: %.80q", len(got), got)
			}
		}
	})
}
