package controlplane_test

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

// A stop ends the watches of clients by both transports, and leaves no goroutine and no
// open file.
func TestStopLeaksNothing(t *testing.T) {
	startAndStopWatched(t) // what is made once for the process is made now
	before := openFiles(t)
	startAndStopWatched(t)
	settled := time.Now().Add(deadline)
	for len(foreignGoroutines()) > 0 && time.Now().Before(settled) {
		runtime.Gosched()
	}
	for _, stack := range foreignGoroutines() {
		t.Errorf("leaked goroutine:\n%s", stack)
	}
	if after := openFiles(t); len(after) > len(before) {
		t.Errorf("open files: %v, before: %v", after, before)
	}
}

func startAndStopWatched(t *testing.T) {
	t.Helper()
	opts := controlplanetest.Options(t)
	server := start(t, opts)
	must(t, dynamicClient(t, server.RESTConfig()), apps(), newApp(nil))
	var watches []watch.Interface
	for _, config := range []*rest.Config{server.RESTConfig(), userConfig(t, opts)} {
		watcher, err := dynamicClient(t, config).Resource(apps()).Watch(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		watches = append(watches, watcher)
	}
	stop(t, server)
	for _, watcher := range watches {
		for range watcher.ResultChan() {
		}
	}
}

// foreignGoroutines returns the stacks of goroutines except those of the test, its
// framework and the client's side of a connection.
func foreignGoroutines() []string {
	buffer := make([]byte, 4<<20)
	buffer = buffer[:runtime.Stack(buffer, true)]
	var result []string
	for stack := range strings.SplitSeq(string(buffer), "\n\n") {
		known := []string{"testing.(*T).Run", "testing.(*M).", "leak_test.go", "net/http.(*Transport)", "net/http.(*http2ClientConn)",
			"healthz.(*log).Check"} // once for the process, by the first health check
		if !slices.ContainsFunc(known, func(name string) bool { return strings.Contains(stack, name) }) {
			result = append(result, stack)
		}
	}
	return result
}

func openFiles(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system does not list open files")
	}
	var result []string
	for _, entry := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil && strings.HasPrefix(target, "/") {
			result = append(result, target)
		}
	}
	return result
}
