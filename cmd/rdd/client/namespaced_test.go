package client

import (
	"os"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// Commands run in parallel, and none may read a kubeconfig that another one is
// writing. So ConfigFor replaces the file, and only if its content differs.
func TestConfigForReplacesOnlyDifferentFile(t *testing.T) {
	instancetest.Home(t)
	inst, err := instance.New("")
	if err != nil {
		t.Fatal(err)
	}
	if err := inst.Create(); err != nil {
		t.Fatal(err)
	}
	files := map[string]os.FileInfo{}
	for _, step := range []struct {
		server string
		same   bool
	}{{"https://127.0.0.1:1", false}, {"https://127.0.0.1:1", true}, {"https://127.0.0.1:2", false}} {
		config := api.NewConfig()
		config.Clusters["x"] = &api.Cluster{Server: step.server}
		config.Contexts["x"] = &api.Context{Cluster: "x", Namespace: "default"}
		config.CurrentContext = "x"
		if err := clientcmd.WriteToFile(*config, inst.Config); err != nil {
			t.Fatal(err)
		}
		path, err := ConfigFor(inst, "mine")
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		before := files[path]
		if before != nil {
			same := os.SameFile(before, info) && before.ModTime().Equal(info.ModTime())
			if same != step.same {
				t.Errorf("%s: the same file %v, want %v", step.server, same, step.same)
			}
			if !step.same && os.SameFile(before, info) {
				t.Error("the file was written in place")
			}
		}
		files[path] = info
		written, err := clientcmd.LoadFromFile(path)
		if err != nil || written.Clusters["x"].Server != step.server || written.Contexts["x"].Namespace != "mine" {
			t.Errorf("%+v, %v", written, err)
		}
	}
}
