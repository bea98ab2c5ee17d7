package supervisor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"strings"
	"testing"

	"k8s.io/client-go/rest"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/ui"
	"github.com/rancher-sandbox/rancher-desktop-daemon/page"
)

// do sends a request and returns the code and the body of the answer.
func do(t *testing.T, client *http.Client, method, address string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	got, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, string(body)
}

// logIn returns a browser with a session, and the address of the page.
func logIn(t *testing.T, admin *http.Client, host string) (*http.Client, string) {
	t.Helper()
	code, body := do(t, admin, http.MethodPost, host+ui.ControlPath)
	var login ui.Login
	if err := json.Unmarshal([]byte(body), &login); err != nil || code != http.StatusOK {
		t.Fatalf("%d %s: %v", code, body, err)
	}
	if login.Missing == page.IsBuilt() {
		t.Errorf("the page is missing: %v", login.Missing)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	browser := &http.Client{Jar: jar, Transport: transport}
	if code, body := do(t, browser, http.MethodGet, login.URL); code != http.StatusOK && code != http.StatusNotImplemented {
		t.Fatalf("%d: %s", code, body)
	}
	return browser, login.Page
}

// The page of a daemon: a login, the API as its user, and the end of the sessions.
func TestPageOfRunningDaemon(t *testing.T) {
	inst := instancetest.At(t, "page")
	start(t, inst, func(d *daemon) {
		d.Version = "v7"
		d.SupportBundle = func(context.Context, io.Writer) error { return errors.New("full") }
	})
	config := controlplanetest.UserConfig(t, inst.Config)
	admin, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	browser, address := logIn(t, admin, config.Host)
	for path, want := range map[string]string{
		"session":        `"version":"v7","instance":"page","namespace":"` + appv1.DefaultNamespace + `"`,
		"tree":           `"root/controlplane"`,
		"metrics":        "rdd_actors",
		"doctor":         "rdd doctor",
		"support-bundle": "full",
		"apis/authentication.k8s.io/v1/selfsubjectreviews": `"code":405`,
		"apis/app.rancherdesktop.io/v1alpha1/apps/app":     `"kind":"App"`,
		"openapi/v3": "app.rancherdesktop.io",
		"apis/containers.rancherdesktop.io/v1alpha1/networks":     `"kind":"NetworkList"`,
		"apis/app.rancherdesktop.io/v1alpha1/apps?watch=1":        "WebSocket",
		"apis/app.rancherdesktop.io/v1alpha1/apps/app?pretty=0":   `"name":"app"`,
		"apis/containers.rancherdesktop.io/v1alpha1/nodes/x/exec": "404",
	} {
		if _, body := do(t, browser, http.MethodGet, address+path); !strings.Contains(body, want) {
			t.Errorf("%s: %s", path, body)
		}
	}
	own := strings.TrimSuffix(address, "/")
	// The page is a user, and not the daemon: policies apply to it.
	if code, body := do(t, browser, http.MethodDelete, address+"apis/app.rancherdesktop.io/v1alpha1/apps/app", "Origin", own); code != http.StatusForbidden || !strings.Contains(body, "rdd-app-deletion") {
		t.Errorf("a change: %d %s", code, body)
	}
	if code, body := do(t, admin, http.MethodDelete, config.Host+ui.ControlPath); code != http.StatusOK || body != `{"sessions":1}`+"\n" {
		t.Errorf("the end of all sessions: %d %s", code, body)
	}
	if code, _ := do(t, browser, http.MethodGet, address+"session"); code != http.StatusUnauthorized {
		t.Errorf("after the end: %d", code)
	}
}

// A page that reads its session while the daemon starts gets no guess.
func TestPageFactsNeedApp(t *testing.T) {
	d := newDaemon(Config{Instance: instancetest.At(t, "pagefacts"), Logger: testLogger(t)})
	if facts, err := d.facts(t.Context()); err == nil || facts.Namespace != "" {
		t.Errorf("before the API server has started: %+v", facts)
	}
}

// Who has the token may log a browser in, and no other user. A session ends with the token.
func TestPageLoginNeedsToken(t *testing.T) {
	inst := instancetest.At(t, "pagetoken")
	start(t, inst)
	config := controlplanetest.UserConfig(t, inst.Config)
	admin, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	browser, address := logIn(t, admin, config.Host)
	for name, token := range map[string]string{"without a token": "", "with the read-only token": readOnlyToken(t, inst.TLSDir)} {
		other := rest.AnonymousClientConfig(config)
		other.BearerToken = token
		client, err := rest.HTTPClientFor(other)
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{http.MethodPost, http.MethodDelete} {
			if code, body := do(t, client, method, config.Host+ui.ControlPath); code != http.StatusUnauthorized && code != http.StatusForbidden {
				t.Errorf("%s %s: %d %s", method, name, code, body)
			}
		}
	}
	if code, body := do(t, admin, http.MethodGet, config.Host+ui.ControlPath); code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d %s", code, body)
	}
	for _, test := range []struct {
		role controlplane.Role
		code int
	}{{controlplane.RoleReadOnly, http.StatusOK}, {controlplane.RoleAdmin, http.StatusUnauthorized}} {
		if code, body := do(t, admin, http.MethodPost, fmt.Sprintf("%s%s?role=%s", config.Host, controlplane.RotatePath, test.role)); code != http.StatusNoContent {
			t.Fatalf("%d %s", code, body)
		}
		if code, _ := do(t, browser, http.MethodGet, address+"session"); code != test.code {
			t.Errorf("after a new %s token: %d", test.role, code)
		}
	}
}

func readOnlyToken(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(controlplane.TokenPath(dir, controlplane.RoleReadOnly))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}
