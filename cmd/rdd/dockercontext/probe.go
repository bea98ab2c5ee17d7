package dockercontext

import (
	"context"
	"net/http"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/endpoint"
)

// ProbeTimeout bounds the probe of another engine. An engine of this machine answers
// within milliseconds, but a loaded machine or one far away needs longer.
const ProbeTimeout = 2 * time.Second

// Answers reports whether an engine answers at the address of a context within
// ProbeTimeout. An engine at a unix socket must answer a request, whatever the answer
// is. One at a TCP port must only accept a connection, because it can require TLS. An
// address that cannot be probed, such as one of ssh, counts as answering.
func Answers(ctx context.Context, host string) bool {
	at, err := endpoint.Parse(host)
	if err != nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, ProbeTimeout)
	defer cancel()
	if at.Socket == "" {
		conn, err := at.Dial(ctx, "tcp", at.Address)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.URL()+"/_ping", nil)
	if err != nil {
		return true
	}
	client := http.Client{Transport: &http.Transport{DialContext: at.Dial, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	response.Body.Close()
	return true
}
