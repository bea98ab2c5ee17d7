package treeview

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestDraw(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	nodes := []Node{
		{Name: "root", State: "running", Since: ago(time.Hour)},
		{Name: "root/engine", State: "Ready", Since: ago(time.Minute), Restarts: 1, LastFailure: "dial unix:\n  refused", LastFailureAt: ago(2 * time.Minute)},
		{Name: "root/app", State: "settled", Since: ago(time.Minute)},
		{Name: "root/engine/session", State: "connected", Since: ago(time.Minute), Mailbox: 2},
	}
	for i := range 3 {
		nodes = append(nodes, Node{Name: fmt.Sprintf("root/engine/container/c%d", i), State: "settled", Since: ago(time.Duration(i+1) * time.Second)})
	}
	nodes = append(nodes,
		Node{Name: "root/engine/container/c9", State: "refused", Since: ago(time.Hour), Restarts: 2, LastFailure: "in use", LastFailureAt: ago(3 * time.Second)},
		Node{Name: "root/engine/image/registry/i1", State: "settled", Since: ago(5 * time.Second)})
	check(t, nodes, now, false, `
ACTOR                        STATE                  SINCE   RESTARTS   MAILBOX   LAST FAILURE
root                         running                60m     0          0         
├── app                      settled                60s     0          0         
└── engine                   Ready                  60s     1          0         2m ago: dial unix: refused
    ├── container ×4         3 settled, 1 refused   1s      2          0         3s ago: container/c9: in use
    ├── image ×1             1 settled              5s      0          0         
    └── session              connected              60s     0          2         
`)
	check(t, nodes, now, true, `
ACTOR                        STATE       SINCE   RESTARTS   MAILBOX   LAST FAILURE
root                         running     60m     0          0         
├── app                      settled     60s     0          0         
└── engine                   Ready       60s     1          0         2m ago: dial unix: refused
    ├── container/c0         settled     1s      0          0         
    ├── container/c1         settled     2s      0          0         
    ├── container/c2         settled     3s      0          0         
    ├── container/c9         refused     60m     2          0         3s ago: in use
    ├── image/registry/i1    settled     5s      0          0         
    └── session              connected   60s     0          2         
`)
}

func check(t *testing.T, nodes []Node, now time.Time, all bool, want string) {
	t.Helper()
	var out strings.Builder
	if err := Draw(&out, nodes, now, all); err != nil {
		t.Fatal(err)
	}
	if got := squeeze(out.String()); got != squeeze(strings.TrimPrefix(want, "\n")) {
		t.Errorf("all=%v:\n%s", all, out.String())
	}
}

// squeeze removes the padding of columns, but not the branches.
func squeeze(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		at := strings.IndexFunc(line, func(r rune) bool { return r > ' ' && !strings.ContainsRune("├└│─", r) })
		if at >= 0 {
			lines[i] = line[:at] + strings.Join(strings.Fields(line[at:]), " ")
		}
	}
	return strings.Join(lines, "\n")
}

func TestDrawNothing(t *testing.T) {
	check(t, nil, time.Now(), false, "\nACTOR STATE SINCE RESTARTS MAILBOX LAST FAILURE\n")
}

func TestDrawWithoutCommonRoot(t *testing.T) {
	check(t, []Node{{Name: "a", State: "x"}, {Name: "b/c", State: "y"}}, time.Now(), false,
		"\nACTOR STATE SINCE RESTARTS MAILBOX LAST FAILURE\na x 0 0\nb/c y 0 0\n")
}
