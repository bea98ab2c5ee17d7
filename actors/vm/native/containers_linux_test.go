package native

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/process"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// inContainerEnv makes the test binary act as the program of a container. It prints
// inContainerReady when it handles signals. The value is the time that the program
// takes to end after the first SIGTERM.
const (
	inContainerEnv    = "RDD_TEST_IN_CONTAINER"
	inContainerReady  = "ready"
	inContainerSignal = "SIGTERM"
	// inContainerDir is the directory for notes of signals, if it is mounted.
	inContainerDir = "/notes"
)

func TestMain(m *testing.M) {
	if takes, err := time.ParseDuration(os.Getenv(inContainerEnv)); err == nil {
		playContainer(takes)
		return
	}
	os.Exit(m.Run())
}

func playContainer(takes time.Duration) {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	fmt.Println(inContainerReady)
	var end <-chan time.Time
	for {
		select {
		case <-term:
			noteSignal()
			if end == nil {
				end = time.After(takes)
			}
		case <-end:
			return
		}
	}
}

// noteSignal writes a line to a file that outlives the engine, if there is one.
func noteSignal() {
	f, err := os.OpenFile(filepath.Join(inContainerDir, "signals"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_, _ = f.WriteString(inContainerSignal + "\n")
	_ = f.Close()
}

// start starts the bench's dockerd.
func (b *bench) start(t *testing.T) {
	t.Helper()
	if _, err := b.d.Start(t.Context(), messages.VMSpec{Engine: appv1.EngineMoby}, func(string) {}); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) stop(t *testing.T) {
	t.Helper()
	if _, err := b.d.Stop(t.Context(), func(string) {}); err != nil {
		t.Fatal(err)
	}
	if left := b.active(b.docker()); len(left) > 0 {
		t.Errorf("left after a stop: %v", left)
	}
}

func (b *bench) docker() kind { k, _ := b.d.kind(appv1.EngineMoby); return k }

// run starts a container whose program is this test binary, and returns its pid
// on the host. host is the HostConfig of POST /containers/create.
func (b *bench) run(t *testing.T, host map[string]any) int {
	t.Helper()
	return b.runWith(t, "", map[string]any{"Env": []string{inContainerEnv + "=0s"}, "HostConfig": host})
}

// runWith is run with the whole body of POST /containers/create.
func (b *bench) runWith(t *testing.T, name string, create map[string]any) int {
	t.Helper()
	if status, _ := b.request(t, http.MethodGet, "/images/me:latest/json", nil); status != http.StatusOK {
		if status, answer := b.request(t, http.MethodPost, "/images/create?fromSrc=-&repo=me", image(t)); status != http.StatusOK {
			t.Fatalf("import: %d %s", status, answer)
		}
	}
	maps.Copy(create, map[string]any{
		"Image": "me:latest", "Cmd": []string{"/me"}, "ExposedPorts": map[string]any{"80/tcp": map[string]any{}},
	})
	created := b.post(t, "/containers/create?name="+name, create)
	var container struct{ ID string }
	decode(t, created, &container)
	b.post(t, "/containers/"+container.ID+"/start", nil)
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, log := b.request(t, http.MethodGet, "/containers/"+container.ID+"/logs?stdout=1", nil)
		if strings.Contains(string(log), inContainerReady) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the container's program does not run: %s", log)
		}
	}
	_, answer := b.request(t, http.MethodGet, "/containers/"+container.ID+"/json", nil)
	var inspected struct{ State struct{ Pid int } }
	decode(t, answer, &inspected)
	if inspected.State.Pid == 0 {
		t.Fatalf("the container does not run: %s", answer)
	}
	return inspected.State.Pid
}

func decode(t *testing.T, data []byte, out any) {
	t.Helper()
	if err := json.Unmarshal(data, out); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
}

// image is a tarball with this test binary, which must be static.
func image(t *testing.T) *bytes.Reader {
	t.Helper()
	file, err := elf.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if libs, _ := file.ImportedLibraries(); len(libs) > 0 {
		t.Skip("the test binary is not static; set CGO_ENABLED=0")
	}
	me, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	if err := w.WriteHeader(&tar.Header{Name: "me", Mode: 0o755, Size: int64(len(me))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(me); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(out.Bytes())
}

// killEngine kills dockerd and waits for its end.
func (b *bench) killEngine(t *testing.T) {
	t.Helper()
	p, ok := findEngine(b.docker(), state{})
	if !ok {
		t.Fatal("no engine to kill")
	}
	b.kill(t, b.docker())
	if err := p.WaitFor(t.Context(), 10*time.Second); err != nil {
		t.Fatal(err)
	}
}

// needRoot skips a test of live-restore, or of networks in the host's namespace. A
// rootless engine has neither.
func needRoot(t *testing.T) {
	t.Helper()
	if rootless() {
		t.Skip("needs root: a rootless engine behaves differently")
	}
}

func TestStartAdoptsContainersOfKilledEngine(t *testing.T) {
	needRoot(t)
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	b.start(t)
	pid := b.run(t, nil)
	b.killEngine(t)
	if seen, err := b.d.Inspect(t.Context()); err != nil || seen.Presence != vm.Broken || seen.Spec.Engine != appv1.EngineMoby {
		t.Errorf("Inspect = %+v, %v; want it broken", seen, err)
	}
	b.start(t)
	_, answer := b.request(t, http.MethodGet, "/containers/json", nil)
	var containers []struct{ State string }
	decode(t, answer, &containers)
	if _, alive := process.Find(pid); !alive || len(containers) != 1 || containers[0].State != "running" {
		t.Errorf("the container is alive: %v, engine says %+v", alive, containers)
	}
	b.stop(t)
}

func TestStopBrokenEngineEndsContainers(t *testing.T) {
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	b.start(t)
	pid := b.run(t, nil)
	b.killEngine(t)
	b.stop(t)
	if _, alive := process.Find(pid); alive {
		t.Errorf("the container's process %d still runs", pid)
	}
	b.start(t)
}

func TestStopEndsContainersGracefully(t *testing.T) {
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	b.start(t)
	b.run(t, nil)
	b.stop(t)
	b.start(t)
	_, answer := b.request(t, http.MethodGet, "/containers/json?all=1", nil)
	if !strings.Contains(string(answer), "Exited (0)") {
		t.Errorf("the container did not end by itself: %s", answer)
	}
}

func TestStopEndsHungEngine(t *testing.T) {
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	b.start(t)
	b.run(t, nil)
	p, _ := findEngine(b.docker(), state{})
	if err := innermost(b.docker(), p).Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// The signal may take effect with a delay.
	testkit.EventuallyTrue(t, 5*time.Second, "a hung engine does not answer", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := b.d.Ping(ctx, "")
		return err != nil
	})
	if seen, err := b.d.Inspect(t.Context()); err != nil || seen.Presence != vm.Present {
		t.Errorf("Inspect = %+v, %v; a hung engine is present", seen, err)
	}
	b.stop(t)
}

// The start and stop of one instance must not change the rules of another.
func TestStartKeepsPortsOfOtherInstance(t *testing.T) {
	needRoot(t)
	needEngine(t, appv1.EngineMoby)
	a, b := newBench(t), newBench(t)
	a.start(t)
	a.run(t, map[string]any{"PortBindings": map[string]any{"80/tcp": []map[string]string{{"HostIp": "127.0.0.1"}}}})
	rules := a.rules(t)
	if len(rules) < 6 {
		t.Fatalf("rules = %q, want those of a published port", rules)
	}
	for _, step := range []func(*testing.T){b.start, b.stop, b.start} {
		step(t)
		if now := a.rules(t); !sameSet(now, rules) {
			t.Errorf("rules were\n%s\nand now are\n%s", strings.Join(rules, "\n"), strings.Join(now, "\n"))
		}
	}
	if err := b.d.Delete(t.Context()); err != nil {
		t.Error(err)
	}
	if now := a.rules(t); !sameSet(now, rules) {
		t.Errorf("rules were\n%s\nand now are\n%s", strings.Join(rules, "\n"), strings.Join(now, "\n"))
	}
}

// rules returns the firewall rules that reference the bench's networks.
func (b *bench) rules(t *testing.T) []string {
	t.Helper()
	own := b.d.networks(load(b.d.paths.state))
	var rules []string
	for _, set := range b.d.readRules(t.Context()) {
		for _, rule := range set.rules {
			if referencesNetwork(rule, own) {
				rules = append(rules, set.table+": "+rule)
			}
		}
	}
	return rules
}

func sameSet(a, b []string) bool {
	count := map[string]int{}
	for _, s := range a {
		count[s]++
	}
	for _, s := range b {
		count[s]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestStopRemovesBridgesStartRestoresThem(t *testing.T) {
	needRoot(t)
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	b.start(t)
	var made struct{ ID string }
	decode(t, b.post(t, "/networks/create", map[string]any{"Name": "mine"}), &made)
	bridge := "br-" + made.ID[:12]
	for round := range 2 {
		if _, err := netlink.LinkByName(bridge); err != nil {
			t.Errorf("round %d: with a running engine: %v", round, err)
		}
		b.stop(t)
		if _, err := netlink.LinkByName(bridge); err == nil {
			t.Errorf("round %d: %s is left after a stop", round, bridge)
		}
		b.start(t)
	}
}

func TestStartFailureNamesCauseAndHint(t *testing.T) {
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	b.cfg.Getenv = func(name string) string {
		if name == "RDD_DOCKERD_ARGS" {
			return "--no-such-flag"
		}
		return os.Getenv(name)
	}
	_, err := New(b.cfg).Start(t.Context(), messages.VMSpec{}, func(string) {})
	for _, want := range []string{"ended before it answered", "no-such-flag", "hint: RDD_DOCKERD_ARGS", b.docker().log} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q: %v", want, err)
		}
	}
	if seen, err := b.d.Inspect(t.Context()); err != nil || seen.Presence != vm.Absent {
		t.Errorf("Inspect = %+v, %v", seen, err)
	}
}

func TestStartMakesSocketPrivate(t *testing.T) {
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	b.start(t)
	for path, want := range map[string]os.FileMode{b.cfg.Socket: 0o600, b.cfg.ShortDir: 0o700} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v; want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

// An engine outlives the daemon, so that it must not inherit the daemon's files.
func TestStartPassesNoInheritedFile(t *testing.T) {
	needEngine(t, appv1.EngineMoby)
	b := newBench(t)
	inherited := filepath.Join(t.TempDir(), "inherited")
	fd, err := unix.Open(inherited, unix.O_CREAT|unix.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	b.start(t)
	p, _ := findEngine(b.docker(), state{})
	dir := fmt.Sprintf("/proc/%d/fd", p.PID)
	fds, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range fds {
		if target, _ := os.Readlink(filepath.Join(dir, entry.Name())); target == inherited {
			t.Errorf("the engine holds %s as %s", target, entry.Name())
		}
	}
}
