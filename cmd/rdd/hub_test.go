package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// kubeconfigOf writes a kubeconfig for a server.
func kubeconfigOf(t *testing.T, server string) string {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{Server: server}
	config.Contexts["c"] = &clientcmdapi.Context{Cluster: "c"}
	config.CurrentContext = "c"
	path := filepath.Join(t.TempDir(), "config")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHubErrorsNameNextStep(t *testing.T) {
	instancetest.Home(t)
	t.Setenv("KUBECONFIG", "")
	t.Setenv(envYes, "")
	// An rdd daemon's API server answers, and has no service accounts.
	server := httptest.NewServer(nil)
	defer server.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"hub install", exitError, "name one with --kubeconfig and --context"},
		{"hub machines --kubeconfig /no/such/file", exitError, "/no/such/file"},
		{"hub machines --context other --kubeconfig " + kubeconfigOf(t, server.URL), exitError, `"other" does not exist`},
		{"hub machines --kubeconfig " + kubeconfigOf(t, gone.URL), exitError, "the cluster does not answer: start it, or select another one"},
		{"hub machines --kubeconfig " + kubeconfigOf(t, server.URL), exitError, "as that of an rdd daemon: select a Kubernetes cluster with --context or --kubeconfig"},
		{"hub add Upper", exitUsage, "at most 63 lower-case letters"},
		{"hub add a.b", exitUsage, "also the name of a namespace"},
		{"hub add a --user", exitUsage, "--user"},
		{"hub add a --server hub.example.com:6443", exitUsage, "--server=hub.example.com:6443 is not the URL of an API server"},
		{"hub add a --server http://hub.example.com", exitUsage, "use one as https://"},
		{"hub add a --server https://user@hub.example.com", exitUsage, "use one as https://"},
		{"hub add a --certificate-authority /no/such/file", exitUsage, "/no/such/file: no such file"},
		{"hub add a --certificate-authority /dev/null", exitUsage, "/dev/null has no certificate"},
		{"hub add", exitUsage, "name"},
		{"hub remove", exitUsage, "name"},
		{"hub machines -o xml", exitUsage, "table"},
	} {
		code, out, errOut := rdd(t, strings.Fields(test.args)...)
		if code != test.code || out != "" || !strings.Contains(errOut, test.want) {
			t.Errorf("rdd %s: %d, want %d and %q\n%s%s", test.args, code, test.code, test.want, out, errOut)
		}
	}
}

func TestHubPrintNeedsNoCluster(t *testing.T) {
	instancetest.Home(t)
	t.Setenv("KUBECONFIG", "")
	code, out, errOut := rdd(t, "hub", "install", "--print")
	if code != exitDone || errOut != "" || !strings.Contains(out, "\nkind: FlowSchema\n") || !strings.HasPrefix(out, "---\n") {
		t.Errorf("%d, %d bytes, %q", code, len(out), errOut)
	}
}

func TestHubAddMessages(t *testing.T) {
	at := time.Date(2027, 1, 31, 12, 0, 0, 0, time.Local)
	for _, test := range []struct {
		name   string
		cmd    hubAddCmd
		server string
		added  machines.Added
		want   []string
	}{
		{
			"new", hubAddCmd{}, "https://hub.example.com",
			machines.Added{Name: "a", Token: "t", Expires: at},
			[]string{"was added to the hub", "valid until 2027-01-31 12:00", "'rdd join FILE'"},
		},
		{
			"repaired, into a file, on loopback", hubAddCmd{Output: "/tmp/a.yaml"}, "https://127.0.0.1:6443",
			machines.Added{Name: "a", Token: "t", Expires: at, Existed: true},
			[]string{"was repaired on the hub", "is a secret", "'rdd join a.yaml'", "warning: the server https://127.0.0.1:6443 in the join file can be reached from this machine only"},
		},
		{
			"with a user", hubAddCmd{}, "https://hub.example.com",
			machines.Added{Name: "a", User: "carol"},
			[]string{"was added", "no credentials: add those of the user carol", "'rdd join FILE'"},
		},
	} {
		got := test.cmd.messages(test.server, &test.added)
		if len(got) != len(test.want) {
			t.Errorf("%s: %d messages: %q", test.name, len(got), got)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q lacks %q", test.name, got[i], want)
			}
		}
	}
}

func TestHubMachinesTable(t *testing.T) {
	now := time.Now()
	var out strings.Builder
	s := &session{out: &out, err: &out}
	err := s.printMachines([]machines.Listed{
		{Name: "a", Ready: "True", Reason: "Connected", Engine: "29.1", Counts: &hubv1.ObjectCounts{Containers: 3}, RenewedAt: now.Add(-7 * time.Second)},
		{Name: "ahead", Ready: "True", Reason: "Connected", RenewedAt: now.Add(time.Minute)},
		{Name: "new", Ready: "Unknown", Reason: "NeverJoined"},
	}, now)
	want := `NAME   READY    REASON       ENGINE  CONTAINERS  LAST SEEN
a      True     Connected    29.1    3           7s ago
ahead  True     Connected    -       -           0s ago
new    Unknown  NeverJoined  -       -           never
`
	if err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// installedBy changes the version of a hub.
func installedBy(t *testing.T, hub *hubtest.Hub, version string) {
	t.Helper()
	c, err := install.Connect(t.Context(), hub.AdminConfig())
	if err == nil {
		err = install.Apply(t.Context(), c, func(string) {}, install.WithVersion(version))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The commands work with a real API server, and only the join file is on standard output.
func TestHubCommands(t *testing.T) {
	hub := hubtest.Start(t)
	instancetest.Home(t)
	t.Setenv(envYes, "")
	t.Setenv("KUBECONFIG", hub.Kubeconfig())
	done := func(args ...string) (out, errOut string) {
		t.Helper()
		code, out, errOut := rdd(t, append([]string{"hub"}, args...)...)
		if code != exitDone {
			t.Fatalf("rdd hub %s: %d\n%s%s", strings.Join(args, " "), code, out, errOut)
		}
		return out, errOut
	}
	if code, _, errOut := rdd(t, "hub", "add", "a"); code != exitError || !strings.Contains(errOut, "'rdd hub install'") {
		t.Errorf("before the installation: %d, %s", code, errOut)
	}
	if out, _ := done("install"); !strings.Contains(out, "is a hub: 'rdd hub add NAME'") {
		t.Error(out)
	}
	if out, errOut := done("machines"); out != "" || !strings.Contains(errOut, "no machines") {
		t.Errorf("%q, %q", out, errOut)
	}
	out, errOut := done("add", "a")
	config, err := clientcmd.Load([]byte(out))
	if err != nil || config.Contexts["a"] == nil || config.Contexts["a"].Namespace != "a" || config.AuthInfos["a"].Token == "" || !strings.Contains(errOut, "machine a was added") {
		t.Errorf("%v, %s\n%s", err, out, errOut)
	}
	if server := config.Clusters["hub"].Server; !strings.Contains(errOut, "warning: the server "+server+" in the join file can be reached from this machine only") {
		t.Errorf("no warning about %s: %s", server, errOut)
	}
	path := filepath.Join(t.TempDir(), "b.yaml")
	testkit.WriteFile(t, path, "old")
	if out, _ := done("add", "b", "--user", "carol", "--output", path); out != "" {
		t.Errorf("with --output, standard output has %q", out)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the join file has the mode %v, %v", info.Mode(), err)
	}
	config, err = clientcmd.LoadFromFile(path)
	if err != nil || config.CurrentContext != "b" || config.AuthInfos["b"].Token != "" {
		t.Errorf("%+v, %v", config, err)
	}
	out, _ = done("machines", "-o", "json")
	var list []machines.Listed
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) != 2 || list[1].User != "carol" {
		t.Errorf("%v: %s", err, out)
	}
	code, out, errOut := rdd(t, "hub", "remove", "a")
	if code != exitUsage || out != "" || !strings.Contains(errOut, "type 'rdd hub remove a --yes'") {
		t.Errorf("%d, %s%s", code, out, errOut)
	}
	if code, _, errOut := rdd(t, "hub", "remove", "other", "--yes"); code != exitError || !strings.Contains(errOut, "has no machine other: 'rdd hub machines'") {
		t.Errorf("%d, %s", code, errOut)
	}
	out, errOut = done("add", "b", "--server", "https://hub.example.com:6443")
	config, err = clientcmd.Load([]byte(out))
	if err != nil || config.Clusters["hub"].Server != "https://hub.example.com:6443" || strings.Contains(errOut, "warning: ") {
		t.Errorf("with --server: %v, %s\n%s", err, out, errOut)
	}
	installedBy(t, hub, "v99.0.0")
	if code, _, errOut := rdd(t, "hub", "install"); code != exitError || !strings.Contains(errOut, "installed by rdd v99.0.0") || !strings.Contains(errOut, "or replace the objects with --force") {
		t.Errorf("with an older rdd: %d, %s", code, errOut)
	}
	if code, out, errOut := rdd(t, "hub", "add", "c"); code != exitError || out != "" || !strings.Contains(errOut, "installed by rdd v99.0.0") || !strings.Contains(errOut, "or add the machine with --force") {
		t.Errorf("with an older rdd: %d, %s%s", code, out, errOut)
	}
	done("add", "c", "--force")
	done("install", "--force")
	done("install")
	done("add", "c")
	stranger := filepath.Join(t.TempDir(), "stranger")
	if err := hubtest.WriteKubeconfig(stranger, hub.UserConfig("stranger")); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := rdd(t, "hub", "install", "--kubeconfig", stranger); code != exitRejected || !strings.Contains(errOut, "cluster-admin") {
		t.Errorf("%d, %s", code, errOut)
	}
}
