package main

import (
	"strings"
	"testing"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
)

const testJoinFile = `apiVersion: v1
kind: Config
clusters:
- name: hub
  cluster: {server: "https://hub.example:6443"}
contexts:
- name: laptop
  context: {cluster: hub, user: laptop, namespace: laptop}
current-context: laptop
users:
- name: laptop
  user: {token: secret}
`

// The hub may have removed a machine that it does not follow.
func TestLeaveSaysWhatStaysOnHub(t *testing.T) {
	join, err := home.Parse([]byte(testJoinFile), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if text := leftHub(join, true); !strings.Contains(text, "Its mirrors stay there until") {
		t.Error(text)
	}
	if text := leftHub(join, false); !strings.Contains(text, "If the hub still has machine laptop, its mirrors stay there until an administrator runs 'rdd hub remove laptop'") {
		t.Error(text)
	}
}

// Without a daemon, it is not known what the hub has.
func TestLeaveWithoutDaemon(t *testing.T) {
	inst := instancetest.Create(t, "test")
	join, err := home.Parse([]byte(testJoinFile), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := join.Save(inst); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := rdd(t, "--instance", "test", "leave")
	if code != exitDone || !strings.Contains(out, "This machine has left the hub https://hub.example:6443. If the hub still has machine laptop") {
		t.Errorf("%d, %s%s", code, out, errOut)
	}
}

func TestStatusSaysWhatUsersOfHubMayDo(t *testing.T) {
	a := &appState{}
	a.Status.Hub = &appv1.HubStatus{Machine: "laptop", Server: "https://hub.example:6443", Allow: "operate"}
	const want = "https://hub.example:6443, as machine laptop; its users can see, start, stop and delete its containers (--allow=operate)"
	for _, row := range a.rows() {
		if row[0] == "hub" {
			if row[1] != want {
				t.Errorf("the row is %q, want %q", row[1], want)
			}
			return
		}
	}
	t.Error("no row of the hub")
}
