package docker

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/containerd/errdefs"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// follow reads a stream of messages and returns the last report of each layer.
func follow(stream string) (now engine.Progress, digest string, err error) {
	digest, err = followTransfer(strings.NewReader(stream), func() {}, func(layer engine.Layer) { now.Set(layer) })
	return now, digest, err
}

func TestFollowTransferReadsLayers(t *testing.T) {
	for name, c := range map[string]struct {
		stream string
		want   []engine.Layer
		digest string
	}{
		"Nothing": {},
		"Pull": {
			stream: `{"status":"Pulling from app","id":"latest"}
				{"status":"Pulling fs layer","progressDetail":{},"id":"a"}
				{"status":"Already exists","progressDetail":{},"id":"b"}
				{"status":"Downloading","progressDetail":{"current":5,"total":10},"id":"a"}
				{"status":"Digest: sha256:12"}
				{"status":"Status: Downloaded newer image for app"}`,
			want:   []engine.Layer{{ID: "a", Status: "Downloading", Current: 5, Total: 10}, {ID: "b", Status: "Already exists", Done: true}},
			digest: "sha256:12",
		},
		"UnpackedBytesAreNotTransferred": {
			stream: `{"status":"Downloading","progressDetail":{"current":10,"total":10},"id":"a"}
				{"status":"Extracting","progressDetail":{"current":3,"total":10},"id":"a"}`,
			want: []engine.Layer{{ID: "a", Status: "Extracting", Current: 10, Total: 10}},
		},
		"SecondsAreNotBytes": {
			stream: `{"status":"Extracting","progressDetail":{"current":3,"units":"s"},"id":"a"}`,
			want:   []engine.Layer{{ID: "a", Status: "Extracting"}},
		},
		"PushSendsMoreThanItSaid": {
			stream: `{"status":"Pushing","progressDetail":{"current":12,"total":10},"id":"a"}`,
			want:   []engine.Layer{{ID: "a", Status: "Pushing", Current: 12, Total: 12}},
		},
		"Push": {
			stream: `{"status":"Pushing","progressDetail":{"current":10,"total":10},"id":"a"}
				{"status":"Pushed","progressDetail":{},"id":"a"}
				{"status":"Mounted from other","progressDetail":{},"id":"b"}
				{"progressDetail":{},"aux":{"Tag":"1","Digest":"sha256:34","Size":528}}`,
			want:   []engine.Layer{{ID: "a", Status: "Pushed", Current: 10, Total: 10, Done: true}, {ID: "b", Status: "Mounted from other", Done: true}},
			digest: "sha256:34",
		},
		"DigestInWords": {stream: `{"status":"1: digest: sha256:56 size: 528"}`, digest: "sha256:56"},
	} {
		t.Run(name, func(t *testing.T) {
			got, digest, err := follow(c.stream)
			if err != nil || digest != c.digest || !slices.Equal(got.Layers, c.want) {
				t.Errorf("%+v, %q, %v, want %+v, %q", got.Layers, digest, err, c.want, c.digest)
			}
		})
	}
}

func TestFollowTransferReturnsErrorOfStream(t *testing.T) {
	_, _, err := follow(`{"status":"Waiting","id":"a"}{"errorDetail":{"message":"unauthorized: authentication required"},"error":"unauthorized"}`)
	if err == nil || err.Error() != "unauthorized: authentication required" {
		t.Errorf("%v", err)
	}
	_, _, err = follow(`{"errorDetail":{"code":404,"message":"no such manifest"}}`)
	if !errdefs.IsNotFound(err) || err.Error() != "no such manifest" {
		t.Errorf("%v", err)
	}
	if _, _, err = follow(`{"error":"old form"}`); err == nil || err.Error() != "old form" {
		t.Errorf("%v", err)
	}
	// The engine died.
	if _, _, err = follow(`{"status":"Down`); !IsUnreachable(err) {
		t.Errorf("%v", err)
	}
}

func TestFollowTransferKeepsFewLayers(t *testing.T) {
	var stream strings.Builder
	for i := range engine.MaxLayers + 50 {
		_ = json.NewEncoder(&stream).Encode(map[string]any{"status": "Waiting", "id": strings.Repeat("x", 200) + string(rune('a'+i))})
		_ = json.NewEncoder(&stream).Encode(map[string]any{"status": strings.Repeat("y", 200), "id": string(rune(0x1000 + i))})
	}
	got, _, err := follow(stream.String())
	if err != nil || len(got.Layers) != engine.MaxLayers {
		t.Errorf("%d layers, %v", len(got.Layers), err)
	}
	for _, layer := range got.Layers {
		if len(layer.ID) > maxText || len(layer.Status) > maxText {
			t.Errorf("%+v", layer)
		}
	}
}

func TestWatchSilenceEndsOnlySilentTransfer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, alive, stop := watchSilence(t.Context(), time.Minute)
		defer stop()
		for range 5 {
			<-time.After(50 * time.Second)
			alive()
		}
		if ctx.Err() != nil {
			t.Error("a transfer that reports was ended")
		}
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), errSilence) {
			t.Errorf("%v", context.Cause(ctx))
		}
	})
}

func FuzzFollowTransfer(f *testing.F) {
	for _, seed := range []string{
		``, `{`, `null`, `[]`, `{"status":"Downloading","progressDetail":{"current":-5,"total":9223372036854775807},"id":"a"}`,
		`{"status":1,"id":{},"progressDetail":"x"}`, `{"errorDetail":{"code":999,"message":"x"}}`,
		`{"status":"Pushed","id":"\xff"}`, `{"aux":{"Digest":"sha256:12"}}`, `{"status":"1: digest: "}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, stream string) {
		reports := 0
		digest, err := followTransfer(strings.NewReader(stream), func() {}, func(layer engine.Layer) {
			reports++
			if layer.Current < 0 || layer.Total < layer.Current || layer.ID == "" || !utf8.ValidString(layer.ID+layer.Status) {
				t.Errorf("%+v", layer)
			}
		})
		if !utf8.ValidString(digest) || err != nil && !utf8.ValidString(err.Error()) {
			t.Errorf("%q, %v", digest, err)
		}
		if reports > len(stream) {
			t.Errorf("%d reports of %d bytes", reports, len(stream))
		}
	})
}
