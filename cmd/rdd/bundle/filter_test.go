package bundle

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// The filter keeps only fields that are known to have no secrets.
func TestObjectFilterKeepsKnownFields(t *testing.T) {
	for text, want := range map[string]string{
		`{"Name":"v","Driver":"local","Options":{"type":"cifs","device":"//h/s","o":"user=amelie,pass=p,vers=3.0,ro,nobrl","x":"y"}}`: `{"Name":"v","Driver":"local","Options":{"type":"cifs","device":"//h/s","o":"user=REDACTED,pass=REDACTED,vers=3.0,ro,nobrl","x":"REDACTED"}}`,
		`{"o":"password=a,b,ro"}`:                                                        `{"o":"REDACTED"}`,
		`{"options":{"o":"password=a,b,ro"}}`:                                            `{"options":{"o":"password=REDACTED,REDACTED,ro"}}`,
		`{"options":{"o":"credentials=/etc/x,username=u,domain=d"}}`:                     `{"options":{"o":"credentials=REDACTED,username=REDACTED,domain=REDACTED"}}`,
		`{"args":["-c","sleep 1"],"path":"sh","pid":7,"command":"sh -c x"}`:              `{"args":["REDACTED","REDACTED"],"path":"sh","pid":7,"command":"REDACTED"}`,
		`{"Labels":{"DB_PASS":"x","com.docker.compose.project":"p","note":""}}`:          `{"Labels":{"DB_PASS":"REDACTED","com.docker.compose.project":"p","note":""}}`,
		`{"Config":{"Env":["PATH=/bin","A=b"],"Image":"busybox"}}`:                       `{"Config":{"Env":["REDACTED","REDACTED"],"Image":"busybox"}}`,
		`{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}}`:      `{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"REDACTED"}}`,
		`{"JoinTokens":{"Worker":"x"},"SomethingNew":"x","Size":3.5,"RW":true,"N":null}`: `{"JoinTokens":{"Worker":"REDACTED"},"SomethingNew":"REDACTED","Size":3.5,"RW":true,"N":null}`,
		`{"Names":["/web"],"Ports":[{"IP":"::","PublicPort":80,"Type":"tcp"}]}`:          `{"Names":["/web"],"Ports":[{"IP":"::","PublicPort":80,"Type":"tcp"}]}`,
		`{"NetworkSettings":{"Networks":{"bridge":{"IPAddress":"1.2.3.4"}}}}`:            `{"NetworkSettings":{"Networks":{"bridge":{"IPAddress":"1.2.3.4"}}}}`,
		`["x"]`: `["REDACTED"]`,
	} {
		var got, expected any
		if err := json.Unmarshal(newObjectFilter().apply([]byte(text)), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(want), &expected); err != nil {
			t.Fatal(err)
		}
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(expected)
		if string(g) != string(w) {
			t.Errorf("%s\n got %s\nwant %s", text, g, w)
		}
	}
	if got := newObjectFilter().apply([]byte("404 page not found")); string(got) != "404 page not found" {
		t.Errorf("an error became %s", got)
	}
}

// Secrets in objects are also removed from logs.
func TestObjectFilterLearnsSecrets(t *testing.T) {
	s := newObjectFilter()
	s.apply([]byte(`{"options":{"o":"user=amelie,pass=Giraffe-5512,vers=3.0"},"args":["DB_PASS=Tapir-3344","-pKoala-7766","sleep 600000"],"labels":{"API_TOKEN":"Okapi-7781"}}`))
	if got := strings.Join(s.secrets(), " "); got != "Giraffe-5512 Koala-7766 Okapi-7781 Tapir-3344" {
		t.Errorf("learned %s", got)
	}
}

func TestObjectFilterLearnsManySecrets(t *testing.T) {
	s := newObjectFilter()
	var log, want strings.Builder
	for i := range 200 {
		s.apply(fmt.Appendf(nil, `{"labels":{"API_TOKEN":"Okapi-%04d"}}`, i))
		fmt.Fprintf(&log, "it said Okapi-%04d\n", i)
		want.WriteString("it said " + redacted + "\n")
	}
	if got := redactedText(t, s.secrets(), log.String()); got != want.String() {
		t.Errorf("the log became %s", got)
	}
}

func TestSecretName(t *testing.T) {
	for name, want := range map[string]bool{
		"pass": true, "DB_PASS": true, "dbPass": true, "pwd": true, "MYSQL_PWD": true, "userPassword": true, "GITHUB_TOKEN": true,
		"AWS_SECRET_ACCESS_KEY": true, "api-key": true, "X-Api-Key": true, "ssh_key": true, "client-key-data": true, "identitytoken": true,
		"auth": true, "Authorization": true, "credentials": true, "cookie": true, "PIN": true, "SIGNATURE": true,
		"path": false, "bypass": false, "passed": false, "compass": false, "key": false, "keys": false, "publicKey": false,
		"author": false, "authors": false, "user": false, "": false, "_": false, "é": false,
	} {
		if got := secretName(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

// FuzzObjectFilter puts a secret where users put them. The filter must remove it.
func FuzzObjectFilter(f *testing.F) {
	f.Add("pass", "Giraffe-5512", "vers=3.0")
	f.Add("user=a,b", `x"y\`, "")
	f.Fuzz(func(t *testing.T, name, secret, other string) {
		if len(secret) < minSecret || strings.ContainsAny(secret, ",") || strings.Contains(name+other+redacted, secret) || strings.ContainsAny(name, ",=") {
			return
		}
		if newObjectFilter().options[strings.ToLower(name)] || name == "" {
			return
		}
		text, err := json.Marshal(map[string]any{
			"options": map[string]any{"o": other + "," + name + "=" + secret, "x" + name: secret},
			"labels":  map[string]any{"x" + name: secret}, "args": []string{secret, name + "=" + secret}, "Env": []string{name + "=" + secret},
			"unknown field": secret,
		})
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(newObjectFilter().apply(text), &value); err != nil {
			t.Fatal(err)
		}
		if found := holds(value, strings.ToValidUTF8(secret, "\ufffd")); found != "" {
			t.Fatalf("%q is in %q", secret, found)
		}
	})
}

// holds returns a string in a decoded JSON value that contains the secret.
func holds(value any, secret string) string {
	switch v := value.(type) {
	case string:
		if strings.Contains(v, secret) {
			return v
		}
	case []any:
		for _, inner := range v {
			if found := holds(inner, secret); found != "" {
				return found
			}
		}
	case map[string]any:
		for _, inner := range v {
			if found := holds(inner, secret); found != "" {
				return found
			}
		}
	}
	return ""
}

// The engine's objects are full of secrets. None may be in any file of the bundle.
func TestBundleHasNoSecretOfObjects(t *testing.T) {
	secrets := []string{"Zebra-9931-Kuh", "Giraffe-5512", "Okapi-7781", "Tapir-3344", "Koala-7766", "nothing like a secret", "Dachs-1"}
	s := subject(t)
	engine := http.NewServeMux()
	answer := func(path, text string) {
		engine.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) })
	}
	answer("/volumes", `{"Volumes":[{"Name":"one","Options":{"type":"cifs","o":"user=a,password=Zebra-9931-Kuh,vers=3.0"}},{"Name":"two","Options":{"o":"pass=Giraffe-5512"}}]}`)
	answer("/containers/json", `[{"Id":"c1","Command":"sh -c 'nothing like a secret' DB_PASS=Tapir-3344 mysql -pKoala-7766","Labels":{"DB_PASS":"Okapi-7781","x":"Dachs-1"}}]`)
	answer("/images/json", `[{"Id":"i1","RepoTags":["http://x"],"Labels":{"l":"Dachs-1"}}]`)
	answer("/info", `{"ServerVersion":"28.0","Labels":["a=Dachs-1"],"HttpProxy":"http://u:Dachs-1@proxy:3128"}`)
	answer("/system/df", `{"BuildCache":[{"ID":"b1","Description":"RUN nothing like a secret"}]}`)
	listener, err := net.Listen("unix", s.Instance.DockerSocket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: engine, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	testkit.WriteFile(t, filepath.Join(s.Instance.LogDir, "dockerd.log"), "mount -o user=a,password=Zebra-9931-Kuh failed; Giraffe-5512 too; Okapi-7781, Tapir-3344, Koala-7766\n")
	files, _ := pack(t, s)
	for name, text := range files {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s has %q", name, secret)
			}
		}
	}
	for name, want := range map[string]string{
		"engine/volumes.json": "vers=3.0", "engine/containers.json": `"c1"`, "engine/info.json": "28.0", "engine/usage.json": `"b1"`,
		"engine/images.json": "http://x", "logs/dockerd.log": "failed",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s does not have %q: %s", name, want, files[name])
		}
	}
}
