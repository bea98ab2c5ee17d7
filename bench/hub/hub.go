package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
)

// hub is a real hub on loopback.
type hub struct {
	cluster *hubtest.Cluster
	// admin is an administrator's client, and clientset another one for built-in resources.
	admin     client.WithWatch
	clientset *kubernetes.Clientset

	mu    sync.Mutex
	added map[string]*machines.Added
}

// startHub starts a hub with an audit log, in which writes are counted. The renewals of Leases
// are not among them, unless auditsLeases is set: an API server has no audit log by default.
func startHub(ctx context.Context, dir string, auditsLeases bool) (*hub, error) {
	programs, err := hubtest.Programs()
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	auditLog := hubtest.WithAuditLogExceptLeases()
	if auditsLeases {
		auditLog = hubtest.WithAuditLog()
	}
	cluster, err := hubtest.Launch(ctx, programs, dir, hubtest.WithControllerManager(), auditLog,
		// A heap profile can be read, which also collects garbage, and the audit log stays
		// in one file.
		hubtest.WithAPIServerFlags("--profiling=true", "--audit-log-maxsize=4000"))
	if err != nil {
		return nil, err
	}
	h := &hub{cluster: cluster, added: map[string]*machines.Added{}}
	if err := h.install(ctx); err != nil {
		cluster.Close()
		return nil, err
	}
	return h, nil
}

func (h *hub) install(ctx context.Context) error {
	config := h.cluster.AdminConfig()
	scheme, err := install.NewScheme()
	if err != nil {
		return err
	}
	if h.admin, err = client.NewWithWatch(config, client.Options{Scheme: scheme}); err != nil {
		return fmt.Errorf("create a client of the hub: %w", err)
	}
	if h.clientset, err = kubernetes.NewForConfig(config); err != nil {
		return fmt.Errorf("create a client of the hub: %w", err)
	}
	return install.Apply(ctx, h.admin, func(string) {})
}

// add adds a machine, unless it was added before. Administrators who add machines at once
// conflict, because a few objects name all machines.
func (h *hub) add(ctx context.Context, name string) (*machines.Added, error) {
	h.mu.Lock()
	added := h.added[name]
	h.mu.Unlock()
	if added != nil {
		return added, nil
	}
	err := retry.OnError(wait.Backoff{Steps: 20, Duration: 20 * time.Millisecond, Factor: 1.2, Jitter: 1}, apierrors.IsConflict, func() (err error) {
		added, err = machines.Add(ctx, h.admin, name, "")
		return err
	})
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.added[name] = added
	return added, nil
}

// joinFile returns the join file of a machine.
func (h *hub) joinFile(ctx context.Context, name string, change ...func(*rest.Config)) ([]byte, error) {
	added, err := h.add(ctx, name)
	if err != nil {
		return nil, err
	}
	config := h.cluster.AnonymousConfig()
	for _, f := range change {
		f(config)
	}
	return machines.JoinFile(config, added)
}

// mirrors counts the mirrors of all machines.
func (h *hub) mirrors(ctx context.Context) (int, error) {
	total := 0
	for _, kind := range containersv1.Kinds() {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(containersv1.GroupVersion.WithKind(string(kind) + "List"))
		if err := h.admin.List(ctx, list); err != nil {
			return 0, fmt.Errorf("count the mirrors on the hub: %w", err)
		}
		total += len(list.Items)
	}
	return total, nil
}

// metric returns the sum of a metric of the API server over its series with these labels.
func (h *hub) metric(ctx context.Context, name string, labels ...string) (float64, error) {
	text, err := h.clientset.RESTClient().Get().AbsPath("/metrics").Do(ctx).Raw()
	if err != nil {
		return 0, fmt.Errorf("read the metrics of the hub: %w", err)
	}
	return sum(string(text), name, labels...)
}

// renewals returns how often Leases were updated since the start of the API server.
func (h *hub) renewals(ctx context.Context) (float64, error) {
	return h.metric(ctx, "apiserver_request_total", `resource="leases"`, `verb="PUT"`)
}

// sum returns the sum of a metric over its series with these labels.
func sum(text, name string, labels ...string) (float64, error) {
	total, found := 0.0, false
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), name)
		lacks := func(label string) bool { return !strings.Contains(rest, label) }
		if !ok || !strings.HasPrefix(rest, " ") && !strings.HasPrefix(rest, "{") || slices.ContainsFunc(labels, lacks) {
			continue
		}
		value, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("read the metric %s: %w", name, err)
		}
		total, found = total+value, true
	}
	if !found {
		return 0, fmt.Errorf("read the metrics of the hub: there is no %s", name)
	}
	return total, nil
}

// collectGarbage makes the API server collect its garbage.
func (h *hub) collectGarbage(ctx context.Context) error {
	_, err := h.clientset.RESTClient().Get().AbsPath("/debug/pprof/heap").Param("gc", "1").Do(ctx).Raw()
	if err != nil {
		return fmt.Errorf("make the hub collect garbage: %w", err)
	}
	return nil
}

// writeProfile writes a CPU profile of the API server into a file.
func (h *hub) writeProfile(ctx context.Context, file string, during time.Duration) error {
	seconds := strconv.Itoa(int(during.Seconds()))
	text, err := h.clientset.RESTClient().Get().AbsPath("/debug/pprof/profile").Param("seconds", seconds).Do(ctx).Raw()
	if err != nil {
		return fmt.Errorf("take a profile of the hub: %w", err)
	}
	return os.WriteFile(file, text, 0o644)
}
