package queuemetrics_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/util/workqueue"
	_ "k8s.io/component-base/metrics/prometheus/workqueue" // the provider that must come too late

	_ "github.com/rancher-sandbox/rancher-desktop-daemon/internal/queuemetrics"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// timeout is generous: the goroutine ends after half a second.
const timeout = 20 * time.Second

func newQueue() workqueue.TypedInterface[string] {
	return workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[string]{Name: "measured"})
}

func TestNamedQueueHasNoLoop(t *testing.T) {
	queue := newQueue()
	defer queue.ShutDown()
	testkit.Eventually(t, timeout, "the goroutine that measures the queue to end", func() error {
		stacks := make([]byte, 1<<20)
		if strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "updateUnfinishedWorkLoop") {
			return errors.New("it runs")
		}
		return nil
	})
	// The queue works without it.
	for range 2 {
		queue.Add("item")
		if item, ended := queue.Get(); item != "item" || ended {
			t.Fatalf("the queue returned %q, ended %t", item, ended)
		}
		queue.Done("item")
	}
	queue.ShutDown()
	if _, ended := queue.Get(); !ended {
		t.Error("the queue does not end")
	}
}
