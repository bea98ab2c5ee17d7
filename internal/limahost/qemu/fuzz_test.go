package qemu

import (
	"net"
	"strings"
	"testing"
	"time"
)

// FuzzMonitor generates the output of a monitor. None ends the agent, or makes it wait.
func FuzzMonitor(f *testing.F) {
	f.Add([]byte(`{"QMP":{}}` + "\n" + `{"event":"SHUTDOWN","data":{"reason":"guest-reset"}}` + "\n" + `{"return":{},"id":1}` + "\n"))
	f.Add([]byte(`{"return":{"status":"running"}}` + "\n" + `{"return":7,"id":2}` + "\n" + `{"error":null}` + "\n" + `{"error":{"desc":7}}`))
	f.Add([]byte("{\"QMP\":{}}\n{\"QMP\":{}}\nnull\n[]\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		here, there := net.Pipe()
		m := &Monitor{conn: here, turn: make(chan struct{}, 1), answers: make(chan answer, 1), closed: make(chan struct{})}
		go m.read(make(chan struct{}), func(e Event) {
			if e.Name == "" {
				t.Error("an event without a name")
			}
		})
		_ = there.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_, _ = there.Write(said)
		_ = there.Close()
		select {
		case <-m.Closed():
		case <-time.After(10 * time.Second):
			t.Fatal("the monitor is open although QEMU has gone")
		}
		select {
		case a := <-m.answers:
			var status struct{ Status string }
			_ = a.decode("query-status", &status)
		default:
		}
	})
}

// FuzzSSHPort generates command lines.
func FuzzSSHPort(f *testing.F) {
	f.Add("-netdev\x00user,id=net0,hostfwd=tcp:127.0.0.1:60022-:22")
	f.Add("hostfwd=tcp::99999999999999999999-:22,hostfwd=tcp:a:0-b:22")
	f.Fuzz(func(t *testing.T, line string) {
		if port := SSHPort(strings.Split(line, "\x00")); port < 0 || port > 65535 {
			t.Fatalf("%q: port %d", line, port)
		}
	})
}
