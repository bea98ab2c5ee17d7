package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/dockersim"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/home"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/hubtest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/install"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/hub/machines"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/instancetest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/invariant"
	simhub "github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/hub"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/testkit"
)

// sharedHub is the hub of all tests of this package.
var sharedHub = hubtest.NewShared(hubtest.WithControllerManager(), hubtest.WithAuditLog()) //nolint:gochecknoglobals // for TestMain

func TestMain(m *testing.M) {
	if !hubtest.IsEnabled() {
		simhub.MakeRepeatable() // for TestSimulation
	}
	os.Exit(sharedHub.Run(m))
}

// hubPatience is how long a hub may take for a change, its return included.
const hubPatience = 60 * time.Second

// joined is a daemon that has joined a hub.
type joined struct {
	*running
	// hub is an administrator's client for the namespace of the machine.
	hub     client.Client
	machine string
	server  *hubtest.Hub
	link    *hubtest.Link
	sim     *dockersim.Engine
}

// newHub returns an installed hub, and an administrator's client.
func newHub(t testing.TB) (*hubtest.Hub, client.Client) {
	t.Helper()
	server := sharedHub.Hub(t)
	admin := server.Admin()
	if err := install.Apply(t.Context(), admin, func(string) {}); err != nil {
		t.Fatal(err)
	}
	return server, admin
}

// addMachine adds a machine to the hub, and returns its credentials.
func addMachine(t testing.TB, server *hubtest.Hub, name string) *rest.Config {
	t.Helper()
	added, err := machines.Add(t.Context(), server.Admin(), name, "")
	if err != nil {
		t.Fatal(err)
	}
	config := server.AnonymousConfig()
	config.BearerToken = added.Token
	return config
}

// join starts a daemon that has joined the hub through a link, as the machine name.
func join(t testing.TB, name string, sim *dockersim.Engine, change ...func(*home.Join)) *joined {
	t.Helper()
	server, admin := newHub(t)
	return joinAs(t, server, admin, name, addMachine(t, server, name), sim, instancetest.At(t, "test"), change...)
}

func joinAs(t testing.TB, server *hubtest.Hub, admin client.Client, name string, credentials *rest.Config, sim *dockersim.Engine, inst instance.Instance, change ...func(*home.Join)) *joined {
	t.Helper()
	link := server.Link()
	saveJoin(t, inst, name, link.Via(credentials), change...)
	r := start(t, inst)
	j := &joined{running: r, hub: client.NewNamespacedClient(admin, name), machine: name, server: server, link: link, sim: sim}
	r.connect(sim)
	return j
}

func saveJoin(t testing.TB, inst instance.Instance, machine string, config *rest.Config, change ...func(*home.Join)) {
	t.Helper()
	out := clientcmdapi.NewConfig()
	out.Clusters["hub"] = &clientcmdapi.Cluster{Server: config.Host, CertificateAuthorityData: config.CAData}
	out.AuthInfos["hub"] = &clientcmdapi.AuthInfo{Token: config.BearerToken, ClientCertificateData: config.CertData, ClientKeyData: config.KeyData}
	out.Contexts["hub"] = &clientcmdapi.Context{Cluster: "hub", AuthInfo: "hub", Namespace: machine}
	out.CurrentContext = "hub"
	content, err := clientcmd.Write(*out)
	if err != nil {
		t.Fatal(err)
	}
	join, err := home.Parse(bytes.TrimSpace(content), t.(interface{ TempDir() string }).TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(join)
	}
	if err := join.Save(inst); err != nil {
		t.Fatal(err)
	}
}

// machineName returns a name that no other test uses.
func machineName(t testing.TB) string {
	return fmt.Sprintf("m-%d", time.Now().UnixNano())
}

func (j *joined) eventually(what string, check func() error) {
	j.t.Helper()
	testkit.Eventually(j.t, hubPatience, what, check)
}

// isExact returns an error unless the mirrors on a side equal the engine.
func (j *joined) isExact(c client.Reader) error {
	differences, err := invariant.Check(j.t.Context(), invariant.FromEndpoint(j.sim.Endpoint(), ""), invariant.FromReader(c))
	if err != nil {
		return err
	}
	if len(differences) > 0 {
		return fmt.Errorf("%d differences, the first: %+v", len(differences), differences[0])
	}
	return nil
}

// exact waits until both homes equal the engine.
func (j *joined) exact() {
	j.t.Helper()
	j.eventually("the local mirrors to equal the engine", func() error { return j.isExact(j.Client) })
	j.eventually("the mirrors on the hub to equal the engine", func() error {
		if err := j.isExact(j.hub); err != nil {
			return fmt.Errorf("%w; %s", err, j.hubState())
		}
		return nil
	})
}

// hubState returns the condition HubSynced.
func (j *joined) hubState() string {
	app := &appv1.App{}
	if err := j.Get(j.t.Context(), client.ObjectKey{Name: appv1.AppName}, app); err != nil {
		return err.Error()
	}
	for _, c := range app.Status.Conditions {
		if c.Type == appv1.ConditionHubSynced {
			return fmt.Sprintf("HubSynced is %s (%s): %s", c.Status, c.Reason, c.Message)
		}
	}
	return "no condition HubSynced"
}

// reaches waits for a reason of HubSynced, and returns the whole condition.
func (j *joined) reaches(reason string) string {
	j.t.Helper()
	state := ""
	j.eventually("HubSynced to have the reason "+reason, func() error {
		if state = j.hubState(); !strings.Contains(state, "("+reason+")") {
			return errors.New(state)
		}
		return nil
	})
	return state
}

func (j *joined) patchHub(obj client.Object, patch string) {
	j.t.Helper()
	if err := j.hub.Patch(j.t.Context(), obj, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
		j.t.Fatal(err)
	}
}

func (j *joined) onHub(id string) *containersv1.Container {
	c := &containersv1.Container{}
	c.Name, c.Namespace = id, j.machine
	return c
}

// hubUIDs returns the UIDs of all mirrors on the hub by kind and name.
func (j *joined) hubUIDs() map[string]types.UID {
	j.t.Helper()
	out := map[string]types.UID{}
	for _, kind := range containersv1.Kinds() {
		mirrors, err := invariant.FromReader(j.hub).Mirrors(j.t.Context(), kind)
		if err != nil {
			j.t.Fatal(err)
		}
		for _, m := range mirrors {
			out[string(kind)+"/"+m.GetName()] = m.GetUID()
		}
	}
	return out
}

func (j *joined) desireOnHub(id string, state containersv1.DesiredState) {
	j.t.Helper()
	j.patchHub(j.onHub(id), `{"spec":{"state":"`+string(state)+`"}}`)
}

func (j *joined) deleteOnHub(id string) {
	j.t.Helper()
	if err := j.hub.Delete(j.t.Context(), j.onHub(id)); err != nil {
		j.t.Fatal(err)
	}
}

// observed waits until the desired state of a container on the hub is applied.
func (j *joined) observed(id string, want containersv1.ContainerState) {
	j.t.Helper()
	j.eventually("the desired state on the hub to be applied", func() error {
		c := j.onHub(id)
		if err := j.hub.Get(j.t.Context(), client.ObjectKeyFromObject(c), c); err != nil {
			return err
		}
		if c.Status.Status != want || c.Status.ObservedGeneration != c.Generation {
			return fmt.Errorf("status %+v; %s", c.Status, j.hubState())
		}
		return nil
	})
}

// writes returns the writes of this machine to the hub, from the audit log: all but those
// of the Lease and of the Machine.
func (j *joined) writes(ctx context.Context) int {
	j.t.Helper()
	n := 0
	for _, e := range j.server.AuditEvents() {
		isMirror := e.ObjectRef != nil && e.ObjectRef.APIGroup == containersv1.GroupVersion.Group && e.ObjectRef.Namespace == j.machine
		if isMirror && strings.Contains(e.User.Username, j.machine) && e.Verb != "get" && e.Verb != "list" && e.Verb != "watch" {
			n++
		}
	}
	return n
}
