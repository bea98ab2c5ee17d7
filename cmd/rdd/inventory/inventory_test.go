package inventory

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
	"github.com/rancher-sandbox/rancher-desktop-daemon/supervisor"
)

// subject returns an instance with the engine that runs, if any.
func subject(i instance.Instance, err error, found ...supervisor.FoundEngine) Subject {
	return Subject{
		Instance: i, VM: limahost.Paths{LimaHome: i.LimaHome, LogDir: i.LogDir},
		Engine: func(context.Context) (supervisor.FoundEngine, bool, error) {
			if len(found) == 0 {
				return supervisor.FoundEngine{}, false, err
			}
			return found[0], true, err
		},
	}
}

func engineOf(driver appv1.DriverName, name appv1.EngineName) supervisor.FoundEngine {
	return supervisor.FoundEngine{Driver: driver, Engine: name}
}

// lines inspects a subject, and returns the description without the space on the disk.
func lines(t *testing.T, s Subject, scope Scope) []string {
	t.Helper()
	all := s.Inspect(t.Context(), scope).Lines()
	last := len(all) - 1
	if !strings.HasSuffix(all[last], "iB on the disk") {
		t.Errorf("last line: %q", all[last])
	}
	return all[:last]
}

func check(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// dockerData writes the data directory of a Docker Engine.
func dockerData(t *testing.T, i instance.Instance) string {
	t.Helper()
	dir := filepath.Join(i.DataDir, "engine", "docker")
	for path, text := range map[string]string{
		"containers/c1/config.v2.json":                 `{"Name":"/web","State":{"Running":true}}`,
		"containers/c2/config.v2.json":                 `{damaged`,
		"volumes/metadata.db":                          "",
		"volumes/My_Data/_data/x":                      "",
		"image/overlay2/imagedb/content/sha256/aa":     "{}",
		"image/overlay2/imagedb/content/sha256/bb":     "{}",
		"image/overlay2/distribution/diffid-by-digest": "",
	} {
		testkit.WriteFile(t, filepath.Join(dir, path), text)
	}
	return dir
}

func TestStoppedEngineIsReadFromDisk(t *testing.T) {
	i := instancetest.Create(t, "2")
	check(t, "nothing", lines(t, subject(i, nil), All), "no containers, volumes or images")
	dir := dockerData(t, i)
	stopped := []string{"2 stopped containers: c2, web", "1 volume: My_Data", "2 images"}
	unknown := slices.Concat([]string{"2 containers: c2, web"}, stopped[1:])
	check(t, "stopped", lines(t, subject(i, nil), Data), stopped...)
	check(t, "the engine does not answer", lines(t, subject(i, nil, engineOf(appv1.DriverNative, appv1.EngineMoby)), All), unknown...)
	check(t, "unknown engines", lines(t, subject(i, errors.New("x")), All), unknown...)
	// The engine that uses containerd's image store.
	database(t, filepath.Join(dir, "containerd", "daemon", metadata), "moby/images/docker.io/library/a:1")
	check(t, "both image stores", lines(t, subject(i, nil), All), stopped[0], stopped[1], "3 images")
}

// database writes containerd's database with objects NAMESPACE/KIND/NAME.
func database(t *testing.T, path string, objects ...string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		root, err := tx.CreateBucketIfNotExists([]byte("v1"))
		for _, object := range objects {
			b := root
			for _, name := range strings.SplitN(object, "/", 3) {
				if err == nil {
					b, err = b.CreateBucketIfNotExists([]byte(name))
				}
			}
		}
		return err
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestContainerdIsReadFromDisk(t *testing.T) {
	i := instancetest.Create(t, "2")
	path := filepath.Join(i.DataDir, "engine", "containerd", metadata)
	database(t, path, "default/containers/web", "k8s.io/containers/old", "default/images/a:1")
	check(t, "stopped", lines(t, subject(i, nil), All), "2 stopped containers of containerd: old, web", "1 image of containerd")
	task := filepath.Join(i.ShortDir, "engine", "containerd", "io.containerd.runtime.v2.task", "default", "web", "config.json")
	testkit.WriteFile(t, task, "{}")
	runs := subject(i, nil, engineOf(appv1.DriverNative, appv1.EngineContainerd))
	check(t, "running", lines(t, runs, All), "1 running container of containerd: web", "1 stopped container of containerd: old", "1 image of containerd")
	// An engine that runs has a lock on its database.
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	check(t, "locked", lines(t, runs, All), "1 running container of containerd: web", "containers and images of containerd, which rdd cannot count now")
}

func TestDamagedDatabaseIsNoFailure(t *testing.T) {
	i := instancetest.Create(t, "2")
	testkit.WriteFile(t, filepath.Join(i.DataDir, "engine", "containerd", metadata), strings.Repeat("damaged ", 4096))
	check(t, "damaged", lines(t, subject(i, nil), All), "containers and images of containerd, which rdd cannot count now")
}

// A power cut can leave a database whose pages are missing.
func TestTruncatedDatabaseIsNoFailure(t *testing.T) {
	i := instancetest.Create(t, "2")
	path := filepath.Join(i.DataDir, "engine", "containerd", metadata)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("v1"))
		return err
	})
	if err := errors.Join(err, db.Close(), os.Truncate(path, int64(2*os.Getpagesize()))); err != nil {
		t.Fatal(err)
	}
	check(t, "truncated", lines(t, subject(i, nil), All), "containers and images of containerd, which rdd cannot count now")
}

// serve answers as a Docker Engine at the instance's socket.
func serve(t *testing.T, i instance.Instance) {
	t.Helper()
	listener, err := net.Listen("unix", i.DockerSocket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for path, text := range map[string]string{
		"/containers/json": `[{"Id":"1","Names":["/web"],"State":"running"},{"Id":"2","Names":["/old"],"State":"exited"},{"Id":"3","Names":["/asleep"],"State":"paused"}]`,
		"/volumes":         `{"Volumes":[{"Name":"a"}]}`,
		"/images/json":     `[{},{},{}]`,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
	}
	server := &http.Server{Handler: mux}
	t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.Serve(listener) }()
}

func TestRunningEngineAnswers(t *testing.T) {
	i := instancetest.Create(t, "2")
	dockerData(t, i)
	serve(t, i)
	check(t, "native", lines(t, subject(i, nil, engineOf(appv1.DriverNative, "")), All),
		"2 running containers: asleep, web", "1 stopped container: old", "1 volume: a", "3 images")
	// An engine at the socket that is not rdd's own is not asked.
	check(t, "another engine", lines(t, subject(i, nil), All), "2 stopped containers: c2, web", "1 volume: My_Data", "2 images")
}

func TestVMContents(t *testing.T) {
	i := instancetest.Create(t, "2")
	s := subject(i, nil)
	testkit.WriteFile(t, s.VM.Disk(), strings.Repeat("x", 1<<20))
	const disk = "the VM's disk (1 MiB) with its containers, volumes and images"
	check(t, "stopped", lines(t, s, Machine), disk)
	dockerData(t, i)
	check(t, "stopped, with another engine's data", lines(t, s, All), "2 stopped containers: c2, web", "1 volume: My_Data", "2 images", disk)
	runs := subject(i, nil, engineOf(appv1.DriverLima, appv1.EngineMoby))
	check(t, "without an answer", lines(t, runs, Machine), disk)
	serve(t, i)
	check(t, "running", lines(t, runs, Machine),
		"2 running containers in the VM: asleep, web", "1 stopped container in the VM: old", "1 volume in the VM: a", "3 images in the VM")
	check(t, "containerd", lines(t, subject(i, nil, engineOf(appv1.DriverLima, appv1.EngineContainerd)), Machine), disk)
}

func TestNamesFitTerminal(t *testing.T) {
	var names []string
	for _, c := range "abcdefghijklmnop" {
		names = append(names, strings.Repeat(string(c), 9))
	}
	got := Store{Volumes: append(names, strings.Repeat("0", 64), "bell\a")}.lines()
	check(t, "many", got, "18 volumes: aaaaaaaaa, bbbbbbbbb, ccccccccc, ddddddddd and 14 more")
	got = Store{Volumes: []string{strings.Repeat("0", 64), "bell\a"}}.lines()
	check(t, "odd", got, "2 volumes: 000000000000…, bell?")
}
