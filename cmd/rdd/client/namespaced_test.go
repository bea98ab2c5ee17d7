package client

import (
	"os"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

// Many 'rdd ctl' run at the same time: none may read a kubeconfig that another
// one has written half, so a file is replaced, and only when it is another one.
func TestKubeconfigOfANamespaceIsReplacedAndOnlyWhenItDiffers(t *testing.T) {
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
		made, err := clientcmd.LoadFromFile(path)
		if err != nil || made.Clusters["x"].Server != step.server || made.Contexts["x"].Namespace != "mine" {
			t.Errorf("%+v, %v", made, err)
		}
	}
}
