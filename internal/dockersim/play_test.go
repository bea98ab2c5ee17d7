//go:build linux

package dockersim_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// until waits for a condition.
func until(what string, condition func() (bool, error)) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if met, err := condition(); met || err != nil {
			return err
		}
	}
	return fmt.Errorf("waited in vain for %s", what)
}

// id returns the ID of an object that the play named, or name itself.
func (s *stage) id(name string) string {
	if id, ok := s.ids[name]; ok {
		return id
	}
	return name
}

// obedient ends at a stop signal, and prints when it is ready for one.
const obedient = `trap 'exit 143' TERM; echo ready; while :; do sleep 0.1; done`

// obeys waits until a started container is ready: a first process without a handler
// ignores the signal. The containers of the simulated engine always handle the signal.
func (s *stage) obeys(name string) error {
	s.runs++
	if s.failStart != nil {
		return nil
	}
	return until(name+" to be ready", func() (bool, error) {
		logs, err := s.cli.ContainerLogs(s.ctx, name, client.ContainerLogsOptions{ShowStdout: true})
		if err != nil {
			return false, err
		}
		text, err := io.ReadAll(logs)
		_ = logs.Close()
		return strings.Count(string(text), "ready") >= s.runs, err
	})
}

// play returns the commands that both engines get.
func play(t *testing.T) []step {
	t.Helper()
	importImage := func(name, ref string) step {
		return step{"import " + name, func(s *stage) error { return s.imported(t, name, ref, name) }}
	}
	return []step{
		importImage("one", "conf/one:1"), importImage("two", "conf/two:1"), importImage("none", ""),
		tag("conf/one:1", "conf/one:2"), tag("conf/one:1", "conf/one:2"),
		tag("conf/two:1", "conf/one:2"), tag("conf/two:1", "conf/one:1"), // one loses both: E3
		tag("conf/nope:1", "conf/x:1"), tag("conf/two:1", "conf/X:1"),
		rmi("conf/one:2", false), rmi("conf/one:2", false), rmi("<one>", false), rmi("<one>", false),
		tag("<none>", "conf/none:1"),
		volume("conf-v"), volume("conf-v"), volume("bad/name"), rmVolume("conf-v", false), rmVolume("conf-v", false), rmVolume("conf-v", true),
		create(actor, "conf/two:1"), create(actor, "conf/two:1"),
		create("x", "conf/two:1"), create("conf-none", "conf/nope:1"),
		createBroken(), startBroken(), startBroken(), remove(broken, false),
		start(), start(), rmi("conf/two:1", false), rmi("conf/one:1", false), rmi("<two>", false), rmi("<two>", true),
		remove(actor, false), pause(), pause(), start(), remove(actor, false), unpause(), unpause(),
		stop(), stop(), kill(), pause(), start(), pause(), stop(), start(), kill(), restart(), restart(),
		rename(actor, actor), rename(actor, "conf-two"), rename("conf-two", actor), rename("conf-gone", "conf-x"),
		rmVolume("conformance-data", false),
		rmi("conf/one:1", true), rmi("<two>", false), remove(actor, true), remove(actor, false), rmi("<two>", true),
		rmVolume("conformance-data", false), rmVolume("conformance-data", false),
		rmi("conf/none:1", false), rmi("conf/none:1", true),
		rmVolume("conformance-marker", false),
	}
}
