package kubemerge

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// entry returns the entry of an instance in a home of its own.
func entry(t *testing.T, name string) Entry {
	t.Helper()
	instancetest.Home(t)
	inst, err := instance.New("2")
	if err != nil {
		t.Fatal(err)
	}
	return EntryFor(inst, name, "https://127.0.0.1:1", "rancher-desktop")
}

// other is a kubeconfig of another program.
func other(name, current string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: %[1]s, cluster: {server: "https://%[1]s:6443", certificate-authority: relative/ca.crt}}]
users: [{name: %[1]s, user: {token: secret}}]
contexts: [{name: %[1]s, context: {cluster: %[1]s, user: %[1]s, namespace: team}}]
current-context: %[2]q
preferences: {}
`, name, current)
}

// shape describes a kubeconfig: its contexts, and the current one.
func shape(t *testing.T, path string) string {
	t.Helper()
	config, err := clientcmd.LoadFromFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "missing"
	}
	if err != nil {
		t.Fatal(err)
	}
	names := func(all []string) string { return strings.Join(all, ",") }
	contexts := names(slices.Sorted(maps.Keys(config.Contexts)))
	if clusters, users := names(slices.Sorted(maps.Keys(config.Clusters))), names(slices.Sorted(maps.Keys(config.AuthInfos))); clusters != contexts || users != contexts {
		return fmt.Sprintf("clusters %s users %s contexts %s current %s", clusters, users, contexts, config.CurrentContext)
	}
	return contexts + " current " + config.CurrentContext
}

func TestMergeAndRemove(t *testing.T) {
	for name, c := range map[string]struct {
		kubeconfig string            // the variable; names are below the home
		before     map[string]string // text by name
		merged     map[string]string // shape by name
		removed    map[string]string
	}{
		"CleanHome": {
			merged:  map[string]string{".kube/config": "rdd current rdd"},
			removed: map[string]string{".kube/config": " current "},
		},
		"OtherIsCurrent": {
			before:  map[string]string{".kube/config": other("kind", "kind")},
			merged:  map[string]string{".kube/config": "kind,rdd current kind"},
			removed: map[string]string{".kube/config": "kind current kind"},
		},
		"NoneIsCurrent": {
			before:  map[string]string{".kube/config": other("kind", "")},
			merged:  map[string]string{".kube/config": "kind,rdd current rdd"},
			removed: map[string]string{".kube/config": "kind current "},
		},
		"FirstExistingOfSeveral": {
			kubeconfig: "a:b:c", before: map[string]string{"b": other("kind", ""), "c": other("minikube", "minikube")},
			merged:  map[string]string{"a": "missing", "b": "kind,rdd current ", "c": "minikube current minikube", ".kube/config": "missing"},
			removed: map[string]string{"a": "missing", "b": "kind current ", "c": "minikube current minikube"},
		},
		"LastOfSeveralMissing": {
			kubeconfig: "a:b", merged: map[string]string{"a": "missing", "b": "rdd current rdd"},
			removed: map[string]string{"a": "missing", "b": " current "},
		},
		"EmptyElements": {
			kubeconfig: ":a:", merged: map[string]string{"a": "rdd current rdd", ".kube/config": "missing"},
			removed: map[string]string{"a": " current "},
		},
		"OwnFileInVariable": {
			kubeconfig: ".local/share/rancher-desktop-2/config.yaml",
			merged:     map[string]string{".kube/config": "rdd current rdd", ".local/share/rancher-desktop-2/config.yaml": "missing"},
			removed:    map[string]string{".kube/config": " current "},
		},
		"EmptyFile": {
			before:  map[string]string{".kube/config": ""},
			merged:  map[string]string{".kube/config": "rdd current rdd"},
			removed: map[string]string{".kube/config": " current "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := entry(t, "rdd")
			home := os.Getenv("HOME")
			for file, text := range c.before {
				testkit.WriteFile(t, filepath.Join(home, file), text)
			}
			if c.kubeconfig != "" {
				var paths []string
				for file := range strings.SplitSeq(c.kubeconfig, ":") {
					if file != "" {
						file = filepath.Join(home, file)
					}
					paths = append(paths, file)
				}
				t.Setenv("KUBECONFIG", strings.Join(paths, ":"))
			}
			files, err := UserFiles(filepath.Join(home, ".local/share/rancher-desktop-2"))
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // a second merge changes nothing
				if _, err := Merge(files, e); err != nil {
					t.Fatal(err)
				}
				expectShapes(t, home, c.merged)
			}
			if result, err := Merge(files, e); err != nil || result.Changed {
				t.Errorf("a further merge: %+v, %v", result, err)
			}
			if _, err := Remove(files, e); err != nil {
				t.Fatal(err)
			}
			expectShapes(t, home, c.removed)
			if left, err := filepath.Glob(filepath.Join(home, ".kube", "*.lock")); err != nil || len(left) > 0 {
				t.Errorf("locks are left: %v, %v", left, err)
			}
		})
	}
}

func expectShapes(t *testing.T, home string, want map[string]string) {
	t.Helper()
	for file, shaped := range want {
		if got := shape(t, filepath.Join(home, file)); got != shaped {
			t.Errorf("%s: %s, want %s", file, got, shaped)
		}
	}
}

func TestMergeKeepsOtherEntries(t *testing.T) {
	e := entry(t, "rdd")
	file := filepath.Join(os.Getenv("HOME"), ".kube", "config")
	testkit.WriteFile(t, file, other("kind", "kind"))
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Merge([]string{file}, e); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := config.Clusters["kind"]; got.CertificateAuthority != "relative/ca.crt" || got.Server != "https://kind:6443" {
		t.Errorf("%+v", got)
	}
	if config.AuthInfos["kind"].Token != "secret" || config.Contexts["kind"].Namespace != "team" || config.Contexts["rdd"].Namespace != "rancher-desktop" {
		t.Errorf("%+v", config)
	}
	if text, err := os.ReadFile(e.token); err == nil {
		t.Errorf("the token exists: %s", text)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestMergeRefusesForeignEntries(t *testing.T) {
	for kind, text := range map[string]string{
		"cluster": `{"apiVersion":"v1","kind":"Config","clusters":[{"name":"rdd","cluster":{"server":"https://x"}}]}`,
		"user":    `{"apiVersion":"v1","kind":"Config","users":[{"name":"rdd","user":{"token":"x"}}]}`,
		"context": `{"apiVersion":"v1","kind":"Config","contexts":[{"name":"rdd","context":{"cluster":"a","user":"b"}}]}`,
	} {
		t.Run(kind, func(t *testing.T) {
			e := entry(t, "rdd")
			file := filepath.Join(os.Getenv("HOME"), ".kube", "config")
			testkit.WriteFile(t, file, text)
			var foreign *ForeignError
			_, err := Merge([]string{file}, e)
			if !errors.As(err, &foreign) || foreign.Kind != kind || !strings.Contains(err.Error(), "kubectl config delete-"+kind+" rdd'") {
				t.Errorf("%v", err)
			}
			if changed, err := Remove([]string{file}, e); err != nil || len(changed) > 0 {
				t.Errorf("%v, %v", changed, err)
			}
			if after, err := os.ReadFile(file); err != nil || string(after) != text {
				t.Errorf("the file was changed: %s, %v", after, err)
			}
		})
	}
}

func TestRemoveKeepsReplacedEntries(t *testing.T) {
	e := entry(t, "rdd")
	file := filepath.Join(os.Getenv("HOME"), ".kube", "config")
	if _, err := Merge([]string{file}, e); err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	config.Clusters["rdd"].CertificateAuthority = "/another/ca.crt"
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	if _, err := Remove([]string{file}, e); err != nil {
		t.Fatal(err)
	}
	if got := shape(t, file); got != "clusters rdd users  contexts rdd current rdd" {
		t.Error(got)
	}
}

// A kubeconfig without the entry is neither locked nor written, and may be read-only.
func TestRemoveWithoutEntryTakesNoLock(t *testing.T) {
	e := entry(t, "rdd")
	file := filepath.Join(os.Getenv("HOME"), ".kube", "config")
	testkit.WriteFile(t, file, other("kind", "kind"))
	testkit.WriteFile(t, file+".lock", "")
	if has, err := e.IsIn([]string{file, file + ".missing"}); has || err != nil {
		t.Errorf("%v, %v", has, err)
	}
	if changed, err := Remove([]string{file}, e); err != nil || len(changed) > 0 {
		t.Errorf("%v, %v", changed, err)
	}
}

func TestMergeUpdatesServer(t *testing.T) {
	e := entry(t, "rdd")
	home := os.Getenv("HOME")
	files := []string{filepath.Join(home, "a"), filepath.Join(home, "b")}
	testkit.WriteFile(t, files[0], other("kind", "kind"))
	if _, err := Merge(files[1:], e); err != nil {
		t.Fatal(err)
	}
	server := func() string {
		t.Helper()
		config, err := clientcmd.LoadFromFile(files[1])
		if err != nil {
			t.Fatal(err)
		}
		return config.Clusters["rdd"].Server
	}
	e.Server = "https://127.0.0.1:2"
	if changed, err := Refresh(files, e); !changed || err != nil || server() != e.Server {
		t.Errorf("refresh: %v, %v, %s", changed, err, server())
	}
	if changed, err := Refresh(files, e); changed || err != nil {
		t.Errorf("second refresh: %v, %v", changed, err)
	}
	// The entry is updated where it is, although new entries belong to the first file.
	e.Server = "https://127.0.0.1:3"
	if result, err := Merge(files, e); err != nil || result.File != files[1] || result.Current != "kind" || server() != e.Server {
		t.Errorf("merge: %+v, %v, %s", result, err, server())
	}
	if changed, err := Refresh(nil, e); changed || err != nil {
		t.Errorf("no file: %v, %v", changed, err)
	}
}

func TestMergeReportsBrokenFile(t *testing.T) {
	e := entry(t, "rdd")
	file := filepath.Join(os.Getenv("HOME"), ".kube", "config")
	const text = "clusters: [oops\n"
	testkit.WriteFile(t, file, text)
	if _, err := Merge([]string{file}, e); err == nil || !strings.Contains(err.Error(), file) {
		t.Error(err)
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != text {
		t.Errorf("%s, %v", after, err)
	}
}

// Instances that are merged at once do not overwrite each other's entries.
func TestMergeInParallel(t *testing.T) {
	instancetest.Home(t)
	file := filepath.Join(os.Getenv("HOME"), ".kube", "config")
	testkit.WriteFile(t, file, other("kind", "kind"))
	const count = 6
	var group sync.WaitGroup
	for i := range count {
		inst, err := instance.New(fmt.Sprintf("i%d", i))
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			if _, err := Merge([]string{file}, EntryFor(inst, fmt.Sprintf("rdd-i%d", i), "https://127.0.0.1:1", "n")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := shape(t, file); got != "kind,rdd-i0,rdd-i1,rdd-i2,rdd-i3,rdd-i4,rdd-i5 current kind" {
		t.Error(got)
	}
}
