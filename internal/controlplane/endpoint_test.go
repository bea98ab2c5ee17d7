package controlplane_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/endpoint"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/endpoint/endpointtest"
)

// The rules of the definition accept the endpoints that the parser accepts, and no
// others. The test uses lists of endpoints and random variations of them.
func TestEndpointRulesMatchParser(t *testing.T) {
	user := dynamicClient(t, controlplanetest.Start(t).RESTConfig())
	must(t, user, apps(), newApp(map[string]any{"vm": map[string]any{"driver": "external"}}))
	inputs := append(endpointtest.Valid(), endpointtest.Invalid()...)
	inputs = append(inputs, "tcp://"+strings.Repeat("x", endpoint.MaxLength-8)+":1", "tcp://"+strings.Repeat("x", endpoint.MaxLength-7)+":1")
	random := rand.New(rand.NewPCG(1, 2))
	for _, input := range inputs {
		for range 5 {
			if changed := vary(random, input); changed != "" {
				inputs = append(inputs, changed)
			}
		}
	}
	for _, raw := range inputs {
		_, wrong := endpoint.Parse(raw)
		body, err := json.Marshal(map[string]any{"spec": map[string]any{"vm": map[string]any{"endpoint": raw}}})
		if err != nil {
			t.Fatal(err)
		}
		err = patch(apps(), "", "app", string(body))(t.Context(), user)
		if (err != nil) != (wrong != nil) || err != nil && !apierrors.IsInvalid(err) {
			t.Errorf("%q: the parser returns %v, the API server %v", raw, wrong, err)
		}
	}
	err := patch(apps(), "", "app", `{"spec":{"vm":{"endpoint":"unix://fake.sock"}}}`)(t.Context(), user)
	if err == nil || !strings.Contains(err.Error(), "unix:///path/docker.sock with an absolute path") {
		t.Errorf("the error does not list the valid forms: %v", err)
	}
}

// vary changes a character of text. It returns an empty string if the result is not
// UTF-8.
func vary(random *rand.Rand, text string) string {
	const letters = "/:[].-_%@ ?#0159afxz\t"
	at := random.IntN(len(text))
	letter := letters[random.IntN(len(letters))]
	changed := text[:at] + string(letter) + text[at+random.IntN(2):]
	if !utf8.ValidString(changed) {
		return ""
	}
	return changed
}
