package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/endpoint"
)

const (
	// maxIdleConns is how many connections are kept for reuse: four times the pool, so
	// that commands and a full sync do not evict each other's.
	maxIdleConns = 32
	// maxConns bounds the connections to one engine, beside those of stops, which
	// hold one for as long as containers take.
	maxConns = 128
	// idleConnTimeout is how long an unused connection is kept.
	idleConnTimeout = 90 * time.Second
)

// httpAPI is the API over moby's client.
type httpAPI struct {
	endpoint  endpoint.Endpoint
	logger    *slog.Logger
	transport *http.Transport
	rawBody   *rawBodyTransport
	// probe only pings: it negotiates no version.
	probe *client.Client
	// current speaks the version that was negotiated last; nil before. A client is
	// replaced and never changed: moby's client negotiates again by writing to fields
	// that other goroutines read.
	current atomic.Pointer[client.Client]
	kinds   []kindRow
	// silence is Settings.Silence.
	silence time.Duration
	// stops are the runs, by the container's ID, for which a stop was sent and not
	// answered.
	stops sync.Map
	// open ends with Close.
	open  context.Context
	close context.CancelFunc
}

// Dial prepares a connection to the engine at an endpoint, which is one of
// unix:///path/docker.sock, tcp://host:port, http://host:port and
// https://host:port. It does not connect. The API logs nothing.
func Dial(raw string) (API, error) {
	d, err := dial(raw, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return d, nil
}

func dial(raw string, logger *slog.Logger) (*httpAPI, error) {
	at, err := endpoint.Parse(raw)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		DialContext:         at.Dial,
		MaxIdleConns:        maxIdleConns,
		MaxIdleConnsPerHost: maxIdleConns,
		MaxConnsPerHost:     maxConns,
		IdleConnTimeout:     idleConnTimeout,
		ReadBufferSize:      transportBuffer,
		// A local socket gains nothing from compression.
		DisableCompression: true,
	}
	unlimited := transport.Clone()
	unlimited.MaxConnsPerHost, unlimited.DisableKeepAlives = 0, true
	d := &httpAPI{
		endpoint: at, logger: logger, transport: transport, kinds: kindTable(),
		rawBody: &rawBodyTransport{base: transport, unlimited: unlimited, streams: newStreamTransport(transport)},
		silence: DefaultSettings().Silence,
	}
	d.open, d.close = context.WithCancel(context.Background())
	if d.probe, err = d.newClient(""); err != nil {
		return nil, fmt.Errorf("endpoint %q: %w", raw, err)
	}
	return d, nil
}

// newClient returns a client that speaks this API version. All clients share the
// transport, and so the connections.
func (d *httpAPI) newClient(version string) (*client.Client, error) {
	return client.New(
		client.WithHost(clientHost(d.endpoint)),
		// After WithHost, which would want to configure the transport.
		client.WithHTTPClient(&http.Client{Transport: d.rawBody, CheckRedirect: client.CheckRedirect}),
		client.WithScheme(d.endpoint.Scheme),
		client.WithAPIVersion(version),
	)
}

// Connect implements API.
func (d *httpAPI) Connect(ctx context.Context) (Info, error) {
	cli, err := d.negotiate(ctx)
	if err != nil {
		return Info{}, err
	}
	ctx, body := withRawBody(ctx)
	if _, err := cli.Info(ctx, client.InfoOptions{}); err != nil {
		return Info{}, failed("read the engine's information", err)
	}
	info, err := mapInfo(body.Bytes())
	if err != nil {
		return Info{}, failed("read the engine's information", err)
	}
	info.APIVersion = cli.ClientVersion()
	return info, d.checkDocker(ctx, cli)
}

// checkDocker returns an error when the engine is Podman: another
// engine may listen at the endpoint since the last connection.
func (d *httpAPI) checkDocker(ctx context.Context, cli *client.Client) error {
	const doing = "read the engine's version"
	ctx, body := withRawBody(ctx)
	if _, err := cli.ServerVersion(ctx, client.ServerVersionOptions{}); err != nil {
		return failed(doing, err)
	}
	var wire struct{ Components []struct{ Name string } }
	if err := decode(body.Bytes(), &wire); err != nil {
		return failed(doing, err)
	}
	for _, component := range wire.Components {
		if strings.Contains(strings.ToLower(component.Name), "podman") {
			return errors.New("the engine is Podman, which rdd cannot mirror: its events and IDs differ from Docker's; use the socket of a Docker Engine")
		}
	}
	return nil
}

// Ping implements API.
func (d *httpAPI) Ping(ctx context.Context) error {
	if _, err := d.probe.Ping(ctx, client.PingOptions{}); err != nil {
		return failed("ping the engine", err)
	}
	return nil
}

// client returns a client that speaks a version of the engine.
func (d *httpAPI) client(ctx context.Context) (*client.Client, error) {
	if cli := d.current.Load(); cli != nil {
		return cli, nil
	}
	return d.negotiate(ctx)
}

func (d *httpAPI) negotiate(ctx context.Context) (*client.Client, error) {
	ping, err := d.probe.Ping(ctx, client.PingOptions{})
	if err != nil {
		return nil, failed("ping the engine", err)
	}
	version, err := chooseVersion(ping.APIVersion)
	if err != nil {
		return nil, err
	}
	if cli := d.current.Load(); cli != nil && cli.ClientVersion() == version {
		return cli, nil
	}
	cli, err := d.newClient(version)
	if err != nil {
		return nil, fmt.Errorf("agree on API version %s: %w", version, err)
	}
	d.current.Store(cli)
	return cli, nil
}

// chooseVersion returns the highest API version that both sides speak.
func chooseVersion(engine string) (string, error) {
	switch {
	case engine == "":
		return "", errors.New("the engine did not say which API version it speaks: is it a Docker Engine?")
	case versions.LessThan(engine, client.MinAPIVersion):
		return "", fmt.Errorf("the engine speaks API version %s, rdd needs at least %s (Docker 19.03): upgrade the engine",
			engine, client.MinAPIVersion)
	case versions.GreaterThan(engine, client.MaxAPIVersion):
		return client.MaxAPIVersion, nil
	default:
		return engine, nil
	}
}

// mapInfo decodes the answer to GET /info.
func mapInfo(raw []byte) (Info, error) {
	var wire struct {
		ServerVersion string
		SystemTime    string
	}
	if err := decode(raw, &wire); err != nil {
		return Info{}, err
	}
	info := Info{Version: wire.ServerVersion}
	if at, ok := parseTime(wire.SystemTime); ok {
		info.SystemTime = at
	}
	return info, nil
}

// Close implements API.
func (d *httpAPI) Close() error {
	d.rawBody.closed.Store(true)
	d.close()
	d.transport.CloseIdleConnections()
	return nil
}

// decode reads JSON from the engine. A field of an unexpected type is left empty, and
// does not make the whole object unreadable.
func decode(raw []byte, into any) error {
	err := json.Unmarshal(raw, into)
	var odd *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &odd) {
		return fmt.Errorf("decode the engine's answer: %w", err)
	}
	return nil
}
