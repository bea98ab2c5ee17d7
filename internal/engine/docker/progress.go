package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/containerd/errdefs/pkg/errhttp"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// wireProgress is one message of the stream that answers a pull or a push.
type wireProgress struct {
	Status         string
	ID             string
	ProgressDetail struct {
		Current, Total int64
		// Units are bytes unless they are named: some engines count seconds.
		Units string
	}
	Error       string
	ErrorDetail struct {
		Code    int
		Message string
	}
	Aux struct{ Digest string }
}

// followTransfer reads the answer to a pull or a push to its end and reports each change
// of a layer. It returns the digest that the engine named last. An error in the stream
// is the error of the transfer.
func followTransfer(stream io.Reader, alive func(), report func(engine.Layer)) (digest string, err error) {
	var progress engine.Progress
	decoder := json.NewDecoder(stream)
	for {
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			if errors.Is(err, io.EOF) {
				return digest, nil
			}
			return digest, fmt.Errorf("read the engine's progress: %w", err)
		}
		alive()
		var wire wireProgress
		if err := decode(raw, &wire); err != nil {
			return digest, err
		}
		if err := wire.failure(); err != nil {
			return digest, err
		}
		if named := wire.digest(); named != "" {
			digest = named
		}
		if !wire.isLayer() {
			continue
		}
		if layer := wire.advance(progress.Layer(shortText(wire.ID))); progress.Set(layer) {
			report(layer)
		}
	}
}

// failure returns the error that a message reports, nil if there is none.
func (w *wireProgress) failure() error {
	words := w.ErrorDetail.Message
	if words == "" {
		words = w.Error
	}
	switch {
	case words == "":
		return nil
	case w.ErrorDetail.Code != 0:
		return &engineError{words: refused(errors.New(words)).Error(), cause: errhttp.ToNative(w.ErrorDetail.Code)}
	default:
		return refused(errors.New(words))
	}
}

// digest returns the digest of the image, which the engine reports at the end: in words
// alone, as in "1: digest: sha256:… size: 528", when it has the containerd image store.
func (w *wireProgress) digest() string {
	if w.Aux.Digest != "" {
		return shortText(w.Aux.Digest)
	}
	_, after, ok := strings.Cut(w.Status, "igest: ")
	if !ok || w.ID != "" {
		return ""
	}
	digest, _, _ := strings.Cut(after, " ")
	return shortText(digest)
}

// isLayer reports whether a message is about a layer: the first one of a pull has the tag
// in the place of a layer's ID.
func (w *wireProgress) isLayer() bool {
	return w.ID != "" && w.Status != "" && !strings.HasPrefix(w.Status, "Pulling from ")
}

// maxText is how many bytes of a layer's ID and status are kept.
const maxText = 80

func shortText(text string) string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	return strings.ToValidUTF8(text, "")
}

// advance returns the progress of a layer after a message. The bytes are those of the
// transfer; what an engine counts while it unpacks a layer is left out.
func (w *wireProgress) advance(layer engine.Layer) engine.Layer {
	layer.Status = shortText(w.Status)
	current, total := max(0, w.ProgressDetail.Current), max(0, w.ProgressDetail.Total)
	inBytes := w.ProgressDetail.Units == "" || w.ProgressDetail.Units == "bytes"
	switch {
	case w.Status == "Downloading" || w.Status == "Pushing":
		if inBytes && (current > 0 || total > 0) {
			layer.Current, layer.Total = current, max(current, total)
		}
	case isDone(w.Status):
		layer.Done = true
		layer.Current = layer.Total
	case w.Status == "Download complete" || w.Status == "Verifying Checksum" || w.Status == "Extracting":
		if layer.Total == 0 && inBytes {
			layer.Total = total
		}
		layer.Current = layer.Total
	}
	return layer
}

// isDone reports whether a status is the last one of a layer.
func isDone(status string) bool {
	return status == "Pull complete" || status == "Already exists" || status == "Pushed" || status == "Layer already exists" ||
		strings.HasPrefix(status, "Mounted from ")
}

// errSilence ends a transfer that makes no progress.
var errSilence = errors.New("nothing was received")

// watchSilence returns a context that ends with errSilence when alive is not called for
// so long, and with stop.
func watchSilence(parent context.Context, silence time.Duration) (ctx context.Context, alive, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	timer := time.AfterFunc(silence, func() { cancel(errSilence) })
	return ctx, func() { timer.Reset(silence) }, func() {
		timer.Stop()
		cancel(nil)
	}
}
