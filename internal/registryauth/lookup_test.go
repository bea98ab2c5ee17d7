package registryauth

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// user is rdd:secret in base64.
const user = "cmRkOnNlY3JldA=="

// configured returns a finder for a configuration, with helpers by the end of their name.
func configured(t *testing.T, config string, helpers map[string]string) Finder {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	if config != "" {
		write("config.json", config, 0o600)
	}
	for name, script := range helpers {
		write("docker-credential-"+name, "#!/bin/sh\n"+script, 0o700)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return Finder{Dir: dir, Patience: 2 * time.Second}
}

func TestFindReadsConfiguration(t *testing.T) {
	const says = `read server; echo "{\"ServerURL\":\"$server\",\"Username\":\"h\",\"Secret\":\"of $server\"}"`
	for name, c := range map[string]struct {
		ref, config, script string
		want                engine.Credentials
	}{
		"NoFile":    {ref: "localhost:5000/app", want: engine.Credentials{Server: "localhost:5000"}},
		"OtherHost": {ref: "localhost:5000/app", config: `{"auths":{"localhost:6000":{"auth":"` + user + `"}}}`, want: engine.Credentials{Server: "localhost:5000"}},
		"File": {
			ref: "localhost:5000/app:1", config: `{"auths":{"localhost:5000":{"auth":"` + user + `"}}}`,
			want: engine.Credentials{Server: "localhost:5000", Username: "rdd", Password: "secret"},
		},
		"OldFormOfHost": {
			ref: "localhost:5000/app", config: `{"auths":{"http://localhost:5000/v1/":{"auth":"` + user + `"}}}`,
			want: engine.Credentials{Server: "localhost:5000", Username: "rdd", Password: "secret"},
		},
		"DockerHub": {
			ref: "busybox", config: `{"auths":{"https://index.docker.io/v1/":{"auth":"` + user + `"}}}`,
			want: engine.Credentials{Server: dockerHub, Username: "rdd", Password: "secret"},
		},
		"Store": {
			ref: "r.test/app", config: `{"credsStore":"x"}`, script: says,
			want: engine.Credentials{Server: "r.test", Username: "h", Password: "of r.test"},
		},
		"HelperOfHost": {
			ref: "r.test/app", config: `{"credHelpers":{"r.test":"x"},"credsStore":"missing"}`, script: says,
			want: engine.Credentials{Server: "r.test", Username: "h", Password: "of r.test"},
		},
		"Token": {
			ref: "r.test/app", config: `{"credsStore":"x"}`, script: `echo '{"Username":"<token>","Secret":"t"}'`,
			want: engine.Credentials{Server: "r.test", IdentityToken: "t"},
		},
		"HelperHasNone": {
			ref: "r.test/app", config: `{"credsStore":"x"}`, script: `echo "credentials not found in native keychain"; exit 1`,
			want: engine.Credentials{Server: "r.test"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := configured(t, c.config, map[string]string{"x": c.script})
			got, err := f.Find(t.Context(), c.ref)
			if err != nil || got != c.want {
				t.Errorf("got %s, user %q, %v, want %s, user %q", got, got.Username, err, c.want, c.want.Username)
			}
		})
	}
}

func TestSignInCommand(t *testing.T) {
	for ref, want := range map[string]string{
		"alpine":                     "docker login",
		"docker.io/library/alpine:3": "docker login",
		"registry.test:5000/app:1":   "docker login registry.test:5000",
		"ghcr.io/owner/app":          "docker login ghcr.io",
	} {
		if got := SignInCommand(ref); got != want {
			t.Errorf("%s: %q, want %q", ref, got, want)
		}
	}
}

func TestFindFailsWithAdvice(t *testing.T) {
	for name, c := range map[string]struct{ ref, config, script, want string }{
		"BadReference":  {ref: "Not Valid", want: "invalid reference format"},
		"BrokenFile":    {ref: "r.test/app", config: "{", want: "correct the file"},
		"MissingHelper": {ref: "r.test/app", config: `{"credsStore":"missing"}`, want: "docker-credential-missing"},
		"FailedHelper":  {ref: "r.test/app", config: `{"credsStore":"x"}`, script: "echo the key ring is locked; exit 1", want: "the key ring is locked"},
		"HelperPrintsSecretAndFails": {
			ref: "r.test/app", config: `{"credsStore":"x"}`, script: `echo '{"Username":"u","Secret":"s3cret"}'; exit 1`, want: "exit status 1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := configured(t, c.config, map[string]string{"x": c.script}).Find(t.Context(), c.ref)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v, want %q", err, c.want)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error has the secret: %v", err)
			}
		})
	}
}

// The helper is a script, whose child holds its output.
func TestFindEndsHungHelper(t *testing.T) {
	f := configured(t, `{"credsStore":"x"}`, map[string]string{"x": "sleep 300"})
	f.Patience = 300 * time.Millisecond
	begun := time.Now()
	_, err := f.Find(t.Context(), "r.test/app")
	if err == nil || !strings.Contains(err.Error(), "gave no credentials for r.test within 300ms") {
		t.Errorf("%v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestFindEndsWithContext(t *testing.T) {
	f := configured(t, `{"credsStore":"x"}`, map[string]string{"x": "sleep 300"})
	f.Patience = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := f.Find(ctx, "r.test/app"); err == nil {
		t.Error("credentials of a helper that was cancelled")
	}
}
