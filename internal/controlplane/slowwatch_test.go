package controlplane_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"k8s.io/client-go/rest"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// idleClient has many watches on one HTTP/2 connection. It reads the bytes of the
// connection, but opens no flow-control window, like a client whose readers hang.
type idleClient struct {
	opened, reset atomic.Int32
}

func newIdleClient(t *testing.T, config *rest.Config, path string, watches int) *idleClient {
	t.Helper()
	transport, err := rest.TLSConfigFor(config)
	if err != nil {
		t.Fatal(err)
	}
	transport.NextProtos = []string{http2.NextProtoTLS}
	at, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", at.Host, transport)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := range watches {
		block.Reset()
		for _, field := range [][2]string{
			{":method", http.MethodGet}, {":scheme", "https"}, {":authority", at.Host}, {":path", path},
			{"authorization", "Bearer " + config.BearerToken}, {"accept", "application/json"},
		} {
			if err := encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
				t.Fatal(err)
			}
		}
		err := framer.WriteHeaders(http2.HeadersFrameParam{
			StreamID: uint32(2*i + 1), BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	client := &idleClient{}
	go client.read(framer)
	return client
}

// read counts the streams with a response and the streams that were reset.
func (c *idleClient) read(framer *http2.Framer) {
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		switch frame.(type) {
		case *http2.HeadersFrame:
			c.opened.Add(1)
		case *http2.RSTStreamFrame:
			c.reset.Add(1)
		}
	}
}

// Watches of clients that do not read are ended. They delay no write, and use no more
// memory than other watches.
func TestIdleWatchesEnd(t *testing.T) {
	const watches, writes = 200, 60
	opts := controlplanetest.Options(t)
	opts.WriteLimit = time.Second
	client := dynamicClient(t, controlplanetest.StartWith(t, opts).RESTConfig())
	must(t, client, namespaces, newNamespace("n"))
	written := must(t, client, mirrors("containers"), newMirror("Container", "n", "one"))
	config := rest.CopyConfig(userConfig(t, opts))
	path := "/apis/" + mirrors("containers").GroupVersion().String() + "/namespaces/n/containers?watch=true&resourceVersion=" + written.GetResourceVersion()
	idle := newIdleClient(t, config, path, watches)
	testkit.EventuallyTrue(t, deadline, "the watches to begin", func() bool { return idle.opened.Load() == watches })
	before := heapInUse()
	for i := range writes {
		written = annotate(t, client.Resource(mirrors("containers")).Namespace("n"), written, i)
	}
	// A decoded and encoded event has about 100 KB. One per watch would be more than a
	// gigabyte.
	if more := int64(heapInUse()) - int64(before); more > 100<<20 {
		t.Errorf("the watches use %d MB", more>>20)
	}
	testkit.EventuallyTrue(t, deadline, "the watches to end", func() bool { return idle.reset.Load() == watches })
}
