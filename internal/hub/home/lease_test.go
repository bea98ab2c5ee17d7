package home

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-logr/logr/funcr"
	coordinationclient "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// lines is a log that can be read meanwhile.
type lines struct {
	mu   sync.Mutex
	text []string
}

func (l *lines) add(_, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, line)
}

func (l *lines) errors() (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.text {
		if strings.Contains(line, `"error"=`) {
			found = append(found, line)
		}
	}
	return found
}

// The end of an election, by which each join and each leave ends one, is no error in the
// log, and what the hub answers is one.
func TestLeaseLogsNoErrorOfItsEnd(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		wants  string
	}{
		"silent hub": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, ""},
		"refusal":    {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no right", http.StatusForbidden) }, "no right"},
	} {
		asked := make(chan struct{}, 100)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked <- struct{}{}
			test.answer(w, r)
		}))
		leases, err := coordinationclient.NewForConfig(&rest.Config{Host: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		log := &lines{}
		ctx, cancel := context.WithCancel(klog.NewContext(t.Context(), funcr.New(log.add, funcr.Options{})))
		ended := make(chan error)
		go func() {
			ended <- (&Home{namespace: "m", leases: leases, fence: &fence{}}).HoldLease(ctx, "me", LeaseEvents{HeldBy: func(string) {}})
		}()
		<-asked
		if test.wants != "" {
			<-asked // the second attempt follows after the first one was logged
		}
		cancel()
		<-ended
		server.Close()
		if got := log.errors(); test.wants == "" && len(got) > 0 || test.wants != "" && !strings.Contains(strings.Join(got, "\n"), test.wants) {
			t.Errorf("%s: %q", name, got)
		}
	}
}
