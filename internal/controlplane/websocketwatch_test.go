package controlplane_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// newWebSocketWatch begins a watch over WebSocket, and reads its first response.
func newWebSocketWatch(t *testing.T, config *rest.Config, path string) net.Conn {
	t.Helper()
	transport, err := rest.TLSConfigFor(config)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", at.Host, transport)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, config.Host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{
		"Authorization": "Bearer " + config.BearerToken, "Origin": config.Host, "Connection": "Upgrade",
		"Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	} {
		request.Header.Set(key, value)
	}
	if err := request.Write(conn); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the response is %s", response.Status)
	}
	return conn
}

// A watch over WebSocket has the same limit on a write as other watches.
func TestIdleWebSocketWatchEnds(t *testing.T) {
	const writes = 600 // more than the buffers of a connection hold
	logged := &lines{}
	opts := controlplanetest.Options(t)
	opts.WriteLimit, opts.Logger = time.Second, slog.New(logged)
	client := dynamicClient(t, controlplanetest.StartWith(t, opts).RESTConfig())
	must(t, client, namespaces, newNamespace("n"))
	written := must(t, client, mirrors("containers"), newMirror("Container", "n", "one"))
	path := "/apis/" + mirrors("containers").GroupVersion().String() + "/namespaces/n/containers?watch=true&resourceVersion=" + written.GetResourceVersion()
	conn := newWebSocketWatch(t, rest.CopyConfig(userConfig(t, opts)), path)
	for i := range writes {
		written = annotate(t, client.Resource(mirrors("containers")).Namespace("n"), written, i)
	}
	testkit.EventuallyTrue(t, deadline, "the watch to end", func() bool { return logged.count("ended watches") > 0 })
	if err := conn.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is open after %d bytes", n)
	}
}
