package forward

import (
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// keptClients is how many processes without a connection are remembered: the daemon,
// which connects every few seconds, and the last other one.
const keptClients = 2

// Clients counts the connections of each process to a socket. The kernel says which
// process a connection is of.
type Clients struct {
	report func([]limahost.EngineClient)

	mu  sync.Mutex
	all []limahost.EngineClient
}

// NewClients returns a count of no connections. report receives each change of it, and
// must not change the list.
func NewClients(report func([]limahost.EngineClient)) *Clients {
	report([]limahost.EngineClient{})
	return &Clients{report: report}
}

// opened counts a connection until closed is called.
func (c *Clients) opened(conn net.Conn) (closed func()) {
	if c == nil {
		return func() {}
	}
	pid := peer(conn)
	c.add(pid, 1)
	return func() { c.add(pid, -1) }
}

// add changes the number of open connections of a process.
func (c *Clients) add(pid, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.all, func(p limahost.EngineClient) bool { return p.PID == pid })
	if i < 0 {
		i = len(c.all)
		c.all = append(c.all, limahost.EngineClient{PID: pid})
	}
	c.all[i].Open += n
	c.all[i].Used = time.Now()
	slices.SortFunc(c.all, func(a, b limahost.EngineClient) int { return b.Used.Compare(a.Used) })
	kept := 0
	c.all = slices.DeleteFunc(c.all, func(p limahost.EngineClient) bool {
		if p.Open == 0 {
			kept++
		}
		return p.Open == 0 && kept > keptClients
	})
	c.report(slices.Clone(c.all))
}

// peer returns the pid of the process that has opened a connection; 0 if it is not known.
func peer(conn net.Conn) (pid int) {
	unix, ok := conn.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := unix.SyscallConn()
	if err != nil {
		return 0
	}
	if raw.Control(func(fd uintptr) { pid, err = peerOf(int(fd)) }) != nil || err != nil {
		return 0
	}
	return pid
}
