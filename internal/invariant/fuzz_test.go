package invariant

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine/docker"
)

// FuzzMappingsAgree generates objects of an engine, and compares their mapping by
// internal/engine/docker with the mapping of this package. The two share no code, so
// an error in one is found.
func FuzzMappingsAgree(f *testing.F) {
	f.Add("a", "running", "2026-11-23T12:55:17.5Z", "key", "", "0.0.0.0", uint16(80), uint16(8080), int32(1), true)
	f.Add("/a/b", "paused", "0001-01-01T00:00:00Z", "", "0", "::", uint16(0), uint16(0), int32(-1), false)
	f.Add("<none>:<none>", "\xff", "9999-12-31T23:59:59.9999999-23:59", "a@b", "\x00", "", uint16(65535), uint16(1), int32(0), true)
	answers := map[string][]byte{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("API-Version", "1.41")
		for suffix, body := range answers {
			if strings.HasSuffix(r.URL.Path, suffix) {
				_, _ = w.Write(body)
			}
		}
	}))
	f.Cleanup(server.Close)
	engine, err := docker.Dial("tcp://" + server.Listener.Addr().String())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = engine.Close() })
	f.Fuzz(func(t *testing.T, name, word, at, key, value, ip string, port, hostPort uint16, number int32, flag bool) {
		labels := map[string]string{key: value, "same": name}
		inspected := map[string]any{
			"Id": "c1", "Name": name, "Created": at, "Path": value, "Args": []string{key, value, ""}, "Image": word, "RestartCount": max(0, number),
			"Mounts": []any{
				map[string]any{"Type": "volume", "Name": word, "Source": value, "Destination": "/b" + name, "RW": flag},
				map[string]any{"Type": "bind", "Source": value, "Destination": "/a" + word, "RW": !flag},
				map[string]any{"Type": key, "Destination": "/c"},
			},
			"State": map[string]any{
				"Status": []string{"running", "exited", "restarting"}[port%3], "OOMKilled": hostPort%7 == 0, "Health": health(word, value, number), "Running": flag, "Paused": !flag, "Dead": flag, "ExitCode": number, "Pid": max(0, number),
				"Error": word, "StartedAt": at, "FinishedAt": at,
			},
			"Config": map[string]any{
				"Image": word, "Labels": labels, "ExposedPorts": map[string]any{fmt.Sprintf("%d/udp", port): struct{}{}},
				"Hostname": key, "User": word, "WorkingDir": value, "Env": []string{"SECRET=" + word}, "Healthcheck": map[string]any{"Retries": hostPort % 4},
			},
			"HostConfig": map[string]any{
				"Tmpfs":         map[string]string{"/d" + key: value},
				"RestartPolicy": map[string]any{"Name": key, "MaximumRetryCount": max(0, number)},
			},
			"NetworkSettings": map[string]any{
				"Networks": map[string]any{
					name: map[string]any{"IPAddress": ip, "GlobalIPv6Address": word, "MacAddress": value}, word: nil, "z": map[string]any{"IPAddress": "invalid IP"},
				},
				"Ports": map[string]any{
					fmt.Sprintf("%d/tcp", port): []any{map[string]string{"HostIp": ip, "HostPort": fmt.Sprint(hostPort)}, map[string]string{"HostIp": word, "HostPort": ""}},
				},
			},
		}
		image := map[string]any{
			"Id": "sha256:" + word, "RepoTags": []string{name, word, name}, "RepoDigests": []string{key, value}, "Created": at,
			"Architecture": word, "Os": value, "Size": max(0, number), "Config": map[string]any{"Labels": labels},
		}
		volume := map[string]any{
			"Name": "v" + name, "Driver": word, "Mountpoint": value, "Scope": key, "CreatedAt": at, "Labels": labels, "Options": labels,
		}
		for suffix, object := range map[string]any{"/containers/c1/json": inspected, "/images/i1/json": image, "/volumes/v1": volume} {
			text, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			answers[suffix] = text
		}
		agreeOnContainer(t, engine, raw(t, answers["/containers/c1/json"]), strings.Contains(strings.TrimLeft(name, "/"), "/") || strings.HasPrefix(name, "//"))
		agreeOnImages(t, engine, raw(t, answers["/images/i1/json"]))
		agreeOnVolume(t, engine, raw(t, answers["/volumes/v1"]))
	})
}

// health returns a health with two probes, or none.
func health(first, last string, number int32) any {
	if number%5 == 0 {
		return nil
	}
	return map[string]any{
		"Status": []string{"starting", "healthy", "unhealthy"}[max(0, number)%3], "FailingStreak": max(0, number),
		"Log": []any{map[string]string{"Output": first}, map[string]string{"Output": strings.Repeat(last, 400)}},
	}
}

func raw(t *testing.T, text []byte) rawObject {
	t.Helper()
	var object rawObject
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// agreeOnContainer ignores a name with several leading slashes, which no engine
// returns: internal/engine/docker removes all of them, and this package the first.
func agreeOnContainer(t *testing.T, engine docker.API, object rawObject, oddName bool) {
	t.Helper()
	mirrors, err := engine.Inspect(context.Background(), containersv1.KindContainer, "c1")
	if err != nil {
		t.Fatal(err)
	}
	agree(t, object.container(), mirrors[0], oddName)
}

func agreeOnImages(t *testing.T, engine docker.API, object rawObject) {
	t.Helper()
	mirrors, err := engine.Inspect(context.Background(), containersv1.KindImage, "i1")
	tags := object.tags()
	if err != nil || len(mirrors) != len(tags) {
		t.Fatalf("%d images, want one for each of %q: %v", len(mirrors), tags, err)
	}
	for i, tag := range tags {
		agree(t, object.image(tag), mirrors[i], false)
	}
}

func agreeOnVolume(t *testing.T, engine docker.API, object rawObject) {
	t.Helper()
	mirrors, err := engine.Inspect(context.Background(), containersv1.KindVolume, "v1")
	if err != nil {
		t.Fatal(err)
	}
	agree(t, object.volume(), mirrors[0], false)
}

func agree(t *testing.T, object Object, mirror containersv1.Mirror, oddName bool) {
	t.Helper()
	if name := object.identity.name(); name != mirror.GetName() {
		t.Errorf("%s: named %q, want %q", object.label, mirror.GetName(), name)
	}
	found, err := compareFields(object, mirror)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range found {
		if !oddName || d.Field != "name" {
			t.Errorf("%+v", d)
		}
	}
}
