package docker

import (
	"net/http"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/endpoint"
)

// clientHost is an endpoint in the form that moby's client takes.
func clientHost(at endpoint.Endpoint) string {
	if at.Socket != "" {
		return "unix://" + at.Socket
	}
	return "tcp://" + at.Address + at.Base
}

// HTTP returns a client, and the URL before every path, for those who read an
// engine's own JSON. The caller calls CloseIdleConnections at the end. See Dial
// for the endpoints.
func HTTP(raw string) (client *http.Client, base string, err error) {
	at, err := endpoint.Parse(raw)
	if err != nil {
		return nil, "", err
	}
	return &http.Client{Transport: &http.Transport{DialContext: at.Dial, MaxIdleConnsPerHost: maxIdleConns, DisableCompression: true}}, at.URL(), nil
}
