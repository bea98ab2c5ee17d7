package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
)

var shared = hubtest.NewShared(hubtest.WithControllerManager(), hubtest.WithAuditLog())

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(shared.Run(m))
}

// limit bounds what a test waits for beyond the times of machines, also beside other tests.
const limit = 2 * time.Minute

// testHub is a hub in a test, and a client of an administrator.
type testHub struct {
	*hubtest.Hub
	admin client.Client
}

func open(t *testing.T) testHub {
	t.Helper()
	h, admin := shared.Installed(t, permitShortTimes)
	return testHub{h, admin}
}

// permitShortTimes makes the definition of Machines accept shorter times, so that tests take less time.
func permitShortTimes(ctx context.Context, admin client.Client) error {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := admin.Get(ctx, client.ObjectKey{Name: "machines.hub.rancherdesktop.io"}, crd); err != nil {
		return err
	}
	times := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["staleAfter"].XValidations
	times[0].Rule = strings.ReplaceAll(times[0].Rule, "'30s'", "'"+shortest.String()+"'")
	return admin.Update(ctx, crd)
}

// userConfig returns the configuration of a user with the rights of the controller and no
// other ones. Tests with several controllers find the writes of each by the user.
func (h testHub) userConfig(t *testing.T, user string) *rest.Config {
	t.Helper()
	name := metav1.ObjectMeta{Name: user}
	inNamespace := metav1.ObjectMeta{Name: user, Namespace: Namespace}
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: user}}
	for _, object := range []client.Object{
		&rbacv1.ClusterRoleBinding{ObjectMeta: name, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: install.ControllerName}, Subjects: subjects},
		&rbacv1.RoleBinding{ObjectMeta: inNamespace, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: install.ControllerName}, Subjects: subjects},
	} {
		if err := h.admin.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	config := h.UserConfig(user)
	c, err := client.New(config, client.Options{Scheme: h.admin.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { // the API server needs a moment to notice the rights
		return errors.Join(c.List(t.Context(), &hubv1.MachineList{}), install.CheckInstalled(t.Context(), c))
	})
	return config
}

// running is a controller that runs in a test.
type running struct {
	*logs
	stop func() error
}

// run runs a controller until stop is called, or until the test ends.
func run(t *testing.T, config *rest.Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{logs: &logs{}}
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Config{
			REST: config, Logger: slog.New(r.logs),
			election: election{duration: 6 * time.Second, renewDeadline: 4 * time.Second, retry: time.Second},
		})
	}()
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the log of the controller:\n%s", r.text())
		}
	})
	return r
}

// logs keeps the lines of a log.
type logs struct {
	mu    sync.Mutex
	lines []line
}

type line struct {
	at   time.Time
	text string
}

func (l *logs) Enabled(context.Context, slog.Level) bool { return true }
func (l *logs) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logs) WithGroup(string) slog.Handler            { return l }

func (l *logs) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += " " + a.String()
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line{r.Time, text})
	return nil
}

func (l *logs) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, one := range l.lines {
		fmt.Fprintln(&b, one.at.Format("15:04:05.000"), one.text)
	}
	return b.String()
}

// find returns the lines that have all parts.
func (l *logs) find(parts ...string) []line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.lines), func(one line) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(one.text, part) })
	})
}

// await waits for a line with all parts.
func (l *logs) await(t *testing.T, parts ...string) line {
	t.Helper()
	var found line
	eventually(t, func() error {
		lines := l.find(parts...)
		if len(lines) == 0 {
			return fmt.Errorf("the log lacks %q", parts)
		}
		found = lines[0]
		return nil
	})
	return found
}

// player plays the daemon of a machine, with the rights of one.
type player struct {
	t      *testing.T
	hub    testHub
	name   string
	client client.Client
}

// add adds a machine with the shortest times.
func (h testHub) add(t *testing.T, name string, removeAfter time.Duration) *player {
	t.Helper()
	added, err := machines.Add(t.Context(), h.admin, name, "")
	if err != nil {
		t.Fatal(err)
	}
	config := h.AnonymousConfig()
	config.BearerToken = added.Token
	c, err := client.New(config, client.Options{Scheme: h.admin.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t, h, name, c}
	machine := p.machine()
	machine.Spec.StaleAfter = &metav1.Duration{Duration: shortest}
	machine.Spec.RemoveAfter = &metav1.Duration{Duration: removeAfter}
	eventually(t, func() error { // the API server needs a moment to notice the definition
		return h.admin.Update(t.Context(), machine)
	})
	return p
}

// shortest is the shortest time that a Machine has in these tests.
const shortest = 10 * time.Second

func (p *player) machine() *hubv1.Machine {
	p.t.Helper()
	machine := &hubv1.Machine{}
	if err := p.hub.admin.Get(p.t.Context(), client.ObjectKey{Name: p.name}, machine); err != nil {
		p.t.Fatal(err)
	}
	return machine
}

// ready returns the condition Ready.
func (p *player) ready() metav1.Condition {
	p.t.Helper()
	if c := meta.FindStatusCondition(p.machine().Status.Conditions, hubv1.ConditionReady); c != nil {
		return *c
	}
	return metav1.Condition{}
}

// renew renews the Lease with a clock that shows another time.
func (p *player) renew(offset time.Duration) { p.hold(p.name+"_1", offset) }

func (p *player) hold(holder string, offset time.Duration) {
	p.t.Helper()
	now := metav1.NewMicroTime(time.Now().Add(offset))
	lease := &coordinationv1.Lease{}
	eventually(p.t, func() error {
		err := p.client.Get(p.t.Context(), client.ObjectKey{Namespace: p.name, Name: hubv1.LeaseName}, lease)
		lease.Spec.HolderIdentity, lease.Spec.RenewTime = &holder, &now
		if client.IgnoreNotFound(err) != nil {
			return err
		}
		if err == nil {
			return p.client.Update(p.t.Context(), lease)
		}
		lease.Namespace, lease.Name = p.name, hubv1.LeaseName
		return p.client.Create(p.t.Context(), lease)
	})
}

// report writes the status of a connected machine.
func (p *player) report() {
	p.t.Helper()
	eventually(p.t, func() error {
		machine := &hubv1.Machine{}
		if err := p.client.Get(p.t.Context(), client.ObjectKey{Name: p.name}, machine); err != nil {
			return err
		}
		machine.Status.Version = "1"
		meta.SetStatusCondition(&machine.Status.Conditions, metav1.Condition{Type: hubv1.ConditionReady, Status: metav1.ConditionTrue, Reason: hubv1.ReasonConnected})
		meta.SetStatusCondition(&machine.Status.Conditions, metav1.Condition{Type: hubv1.ConditionSynced, Status: metav1.ConditionTrue, Reason: hubv1.ReasonSynced})
		return p.client.Status().Update(p.t.Context(), machine)
	})
}

// mirror writes mirrors of each kind.
func (p *player) mirror(count int) {
	p.t.Helper()
	for _, kind := range containersv1.Kinds() {
		for i := range count {
			eventually(p.t, func() error {
				m := containersv1.NewMirror(kind)
				m.SetNamespace(p.name)
				m.SetName(fmt.Sprintf("mirror-%d", i))
				if kind.HasFinalizer() {
					m.SetFinalizers([]string{containersv1.Finalizer})
				}
				return p.client.Create(p.t.Context(), m)
			})
		}
	}
}

// mirrors returns the mirrors on the hub.
func (p *player) mirrors() []containersv1.Mirror {
	p.t.Helper()
	var all []containersv1.Mirror
	for _, kind := range containersv1.Kinds() {
		list := containersv1.NewMirrorList(kind)
		if err := p.hub.admin.List(p.t.Context(), list.(client.ObjectList), client.InNamespace(p.name)); err != nil {
			p.t.Fatal(err)
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, item := range items {
			all = append(all, item.(containersv1.Mirror))
		}
	}
	return all
}

// awaitReady waits until the condition Ready has a status and a reason.
func (p *player) awaitReady(status metav1.ConditionStatus, reason string) metav1.Condition {
	p.t.Helper()
	var c metav1.Condition
	eventually(p.t, func() error {
		if c = p.ready(); c.Status != status || c.Reason != reason {
			return fmt.Errorf("machine %s: Ready is %+v", p.name, c)
		}
		return nil
	})
	return c
}

// emptied returns the annotation of the namespace.
func (p *player) emptied() (value string, isEmptied bool) {
	p.t.Helper()
	n := namespace(p.name)
	if err := p.hub.admin.Get(p.t.Context(), client.ObjectKey{Name: p.name}, n); err != nil {
		p.t.Fatal(err)
	}
	value, isEmptied = n.Annotations[hubv1.EmptiedAnnotation]
	return value, isEmptied
}

// writes returns the accepted writes of a user about a machine, in the order of the audit log.
func (h testHub) writes(user, resource, machine string) []hubtest.AuditEvent {
	return slices.DeleteFunc(h.AuditEvents(), func(e hubtest.AuditEvent) bool {
		return e.User.Username != user || e.ObjectRef == nil || e.ObjectRef.Resource != resource ||
			e.ObjectRef.Namespace != machine && e.ObjectRef.Name != machine || e.ResponseStatus.Code >= 300 ||
			!slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, e.Verb)
	})
}

// eventually calls check until it returns nil.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
