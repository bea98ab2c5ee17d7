package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/fate"
)

// transport is the connection of one process to the hub.
type transport struct {
	hub     *Hub
	process *fate.Process
}

// Transport returns the connection of a process to the hub.
func (h *Hub) Transport(p *fate.Process) http.RoundTripper { return transport{h, p} }

// CloseIdleConnections is called by clients. There are none.
func (transport) CloseIdleConnections() {}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	of, err := parse(r)
	if err != nil {
		return nil, err
	}
	if err := settle(r.Context()); err != nil {
		return nil, err
	}
	handle := t.hub.handler(of)
	var answer any
	err = t.hub.link.Call(r.Context(), t.process, of.verb+" "+of.subresource, of.resource+"/"+of.name, func() (err error) {
		answer, err = handle(of)
		return err
	})
	t.note(of, err)
	if status := apierrors.APIStatus(nil); errors.As(err, &status) {
		s := status.Status()
		s.Kind, s.APIVersion = "Status", "v1"
		return respond(r, int(s.Code), s)
	}
	if err != nil {
		return nil, err
	}
	if s, ok := answer.(*stream); ok {
		s.ctx, s.process = r.Context(), t.process
		return response(r, http.StatusOK, s), nil
	}
	return respond(r, http.StatusOK, answer)
}

// note records a request that can change something, or that fails.
func (t transport) note(r request, err error) {
	if err == nil && (r.verb == get || r.verb == list) {
		return
	}
	outcome := "done"
	if err != nil {
		outcome = err.Error()
	}
	t.hub.witness.Note("hub", fmt.Sprintf("%s %s/%.20s %s: %s", r.verb, r.resource, r.name, r.subresource, outcome))
}

// settle returns the error of a request that is cancelled at the instant at which it is sent.
// The libraries start some requests and cancel them at once, in no fixed order.
func settle(ctx context.Context) error {
	instant := time.NewTimer(time.Nanosecond)
	defer instant.Stop()
	select {
	case <-ctx.Done():
	case <-instant.C:
	}
	return ctx.Err()
}

func respond(r *http.Request, code int, answer any) (*http.Response, error) {
	if answer == nil {
		answer = metav1.Status{TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusSuccess}
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	return response(r, code, io.NopCloser(bytes.NewReader(raw))), nil
}

func response(r *http.Request, code int, body io.ReadCloser) *http.Response {
	return &http.Response{
		Status: http.StatusText(code), StatusCode: code, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: body, ContentLength: -1,
	}
}
