package controlplane_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	appv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	containersv1alpha1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/controlplanetest"
)

// wrongField is a request that the API server refuses, or accepts when want is empty.
type wrongField struct {
	kind containersv1alpha1.RequestKind
	// spec in JSON.
	spec string
	want string
}

func wrongFields() []wrongField {
	const container, volume, network = containersv1alpha1.KindContainerCreateRequest,
		containersv1alpha1.KindVolumeCreateRequest, containersv1alpha1.KindNetworkCreateRequest
	const pull, prune = containersv1alpha1.KindImagePullRequest, containersv1alpha1.KindPruneRequest
	c := func(fields, want string) wrongField {
		return wrongField{container, `{"image":"nginx"` + fields + `}`, want}
	}
	return []wrongField{
		c(``, ""),
		{container, `{}`, "spec.image"},
		{container, `{"image":""}`, "image must be the reference"},
		{container, `{"image":"two words"}`, "image must be the reference"},
		c(`,"images":"x"`, `unknown field "spec.images"`),
		c(`,"pullPolicy":"Sometimes"`, `"IfNotPresent"`),
		c(`,"name":"_x"`, "a name has at least two characters"),
		c(`,"name":"a b"`, "a name has at least two characters"),
		c(`,"command":"sh"`, "spec.command"),
		c(`,"args":[1]`, "spec.args"),
		c(`,"env":[{"name":"A=B"}]`, "no '='"),
		c(`,"env":[{"name":""}]`, "at least one character"),
		c(`,"env":[{"name":"A"},{"name":"A"}]`, "Duplicate value"),
		c(`,"workingDir":"app"`, "workingDir must be an absolute path"),
		c(`,"user":"a b"`, "user must be a name or a number"),
		c(`,"hostname":"-x"`, "hostname must have only letters"),
		c(`,"labels":{"rancherdesktop.io/request":"x"}`, "set by rdd"),
		c(`,"labels":{"":"x"}`, "a label needs a key"),
		c(`,"ports":[{"containerPort":0}]`, "spec.ports[0].containerPort"),
		c(`,"ports":[{"containerPort":80,"hostPort":65536}]`, "spec.ports[0].hostPort"),
		c(`,"ports":[{"containerPort":80,"hostPort":1,"hostIP":"localhost"}]`, "hostIP must be an IP address"),
		c(`,"ports":[{"containerPort":80,"hostIP":"127.0.0.1"}]`, "hostIP needs hostPort"),
		c(`,"ports":[{"containerPort":80,"protocol":"tcp"}]`, `"TCP"`),
		c(`,"mounts":[{"type":"nfs","mountPath":"/x"}]`, `"bind"`),
		c(`,"mounts":[{"type":"bind","mountPath":"/x"}]`, "needs a source"),
		c(`,"mounts":[{"type":"bind","source":"data","mountPath":"/x"}]`, "needs a source"),
		c(`,"mounts":[{"type":"volume","source":"/data","mountPath":"/x"}]`, "use type: bind"),
		c(`,"mounts":[{"type":"tmpfs","source":"data","mountPath":"/x"}]`, "has no source"),
		c(`,"mounts":[{"type":"volume","mountPath":"/x","sizeLimit":"1Mi"}]`, "only a mount of type tmpfs"),
		c(`,"mounts":[{"type":"tmpfs","mountPath":"x"}]`, "mountPath must be an absolute path"),
		c(`,"mounts":[{"type":"tmpfs","mountPath":"/"}]`, "mountPath must be an absolute path"),
		c(`,"mounts":[{"type":"tmpfs","mountPath":"/x"},{"type":"tmpfs","mountPath":"/x"}]`, "two mounts have the same"),
		c(`,"networks":["host","bridge"]`, "exclude all others"),
		c(`,"networks":[""]`, "spec.networks[0]"),
		c(`,"networks":["host"],"ports":[{"containerPort":80}]`, "ports cannot be published"),
		c(`,"networks":["host"],"hostname":"x"`, "the hostname of the host"),
		c(`,"restartPolicy":"always"`, `"Always"`),
		c(`,"maxRetries":3`, "maxRetries needs restartPolicy: OnFailure"),
		c(`,"maxRetries":0,"restartPolicy":"OnFailure"`, "spec.maxRetries"),
		c(`,"autoRemove":true,"restartPolicy":"Always"`, "autoRemove needs restartPolicy: Never"),
		c(`,"cpus":"0"`, "cpus must be greater than 0"),
		c(`,"cpus":"1e30"`, "less than 1M"),
		c(`,"cpus":"many"`, "spec.cpus"),
		c(`,"memory":"1Mi"`, "memory must be at least 6Mi"),
		c(`,"stopTimeout":-1`, "spec.stopTimeout"),
		c(`,"stopSignal":"stop"`, "stopSignal must be the name or the number"),
		c(`,"healthCheck":{}`, "either a command, or disabled: true"),
		c(`,"healthCheck":{"command":["x"],"disabled":true}`, "either a command, or disabled: true"),
		c(`,"healthCheck":{"command":["x"],"periodSeconds":0}`, "spec.healthCheck.periodSeconds"),
		c(`,"capabilities":{"add":["net_admin"]}`, "written in capitals"),
		c(`,"state":"paused"`, `"running"`),
		c(`,"ttlSecondsAfterFinished":-1`, "spec.ttlSecondsAfterFinished"),
		c(`,"pullPolicy":"Never","name":"web","command":["sh","-c"],"args":["true"],"env":[{"name":"A","value":"="}],"workingDir":"/","user":"1:1",`+
			`"hostname":"a.b","labels":{"a/b":"c d"},"ports":[{"containerPort":80},{"containerPort":53,"hostPort":0,"hostIP":"::1","protocol":"UDP"}],`+
			`"mounts":[{"type":"bind","source":"/x","mountPath":"/x","readOnly":true},{"type":"volume","source":"My_Vol","mountPath":"/y"},{"type":"volume","mountPath":"/w"},{"type":"tmpfs","mountPath":"/z","sizeLimit":"1Mi"}],`+
			`"networks":["a","b"],"restartPolicy":"OnFailure","maxRetries":3,"cpus":"500m","memory":"64Mi","stopTimeout":0,"stopSignal":"SIGRTMIN+3",`+
			`"tty":true,"stdin":true,"healthCheck":{"command":["true"],"periodSeconds":1},"capabilities":{"add":["NET_ADMIN"],"drop":["ALL"]},"state":"created"`, ""),
		{pull, `{"image":"nginx"}`, ""},
		{pull, `{"image":"nginx","platform":"linux/amd64"}`, ""},
		{pull, `{"image":"nginx","platform":"linux/arm/v7"}`, ""},
		{pull, `{"image":"nginx","platform":"arm64"}`, "platform must be an operating system and a processor"},
		{pull, `{"image":"nginx","platform":"linux/"}`, "platform must be an operating system and a processor"},
		{pull, `{"image":"nginx","platform":"Linux/ARM64"}`, "platform must be an operating system and a processor"},
		{pull, `{"image":"nginx","platform":"linux/arm/v7/x"}`, "platform must be an operating system and a processor"},
		{prune, `{"kinds":["BuildCache"],"all":true}`, ""},
		{prune, `{"kinds":["Container","Image","Volume","Network","BuildCache"]}`, ""},
		{prune, `{"kinds":["Builder"]}`, `"BuildCache"`},
		{prune, `{"kinds":["BuildCache","BuildCache"]}`, "Duplicate value"},
		{volume, `{}`, ""},
		{volume, `{"name":"x"}`, "a name has at least two characters"},
		{volume, `{"labels":{"rancherdesktop.io/request":"x"}}`, "set by rdd"},
		{volume, `{"options":["x"]}`, "spec.options"},
		{network, `{}`, ""},
		{network, `{"name":"a/b"}`, "a name has at least two characters"},
		{network, `{"subnets":[{"subnet":"10.0.0.1"}]}`, "subnet must be a range of addresses"},
		{network, `{"subnets":[{"subnet":"10.0.0.1/8"}]}`, "subnet must be a range of addresses"},
		{network, `{"subnets":[{"subnet":"10.0.0.0/8","gateway":"x"}]}`, "gateway must be an IP address"},
		{network, `{"subnets":[{"subnet":"10.0.0.0/8","gateway":"11.0.0.1"}]}`, "gateway must be an address in subnet"},
		{network, `{"subnets":[{"subnet":"10.0.0.0/8","ipRange":"11.0.0.0/16"}]}`, "ipRange must be a range in subnet"},
		{network, `{"subnets":[{"subnet":"10.0.0.0/8","ipRange":"10.1.0.0/16","gateway":"10.0.0.1"},{"subnet":"fd00::/64"}],"ipv6":true}`, ""},
	}
}

func newRequest(t *testing.T, kind containersv1alpha1.RequestKind, name, spec string) *unstructured.Unstructured {
	t.Helper()
	fields := map[string]any{}
	if err := json.Unmarshal([]byte(spec), &fields); err != nil {
		t.Fatal(err)
	}
	return object(containersv1alpha1.GroupVersion, string(kind), appv1alpha1.DefaultNamespace, name, map[string]any{"spec": fields})
}

// Each wrong field of a request is refused with a sentence that names it.
func TestWrongFieldOfRequestIsRefused(t *testing.T) {
	opts := controlplanetest.Options(t)
	daemon := dynamicClient(t, controlplanetest.StartWith(t, opts).RESTConfig())
	user := dynamicClient(t, userConfig(t, opts))
	must(t, daemon, namespaces, newNamespace(appv1alpha1.DefaultNamespace))
	strict := metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}
	for i, test := range wrongFields() {
		t.Run(fmt.Sprintf("%s %s", test.kind, test.spec), func(t *testing.T) {
			r := newRequest(t, test.kind, fmt.Sprint("r", i), test.spec)
			_, err := user.Resource(test.kind.GroupVersionResource()).Namespace(r.GetNamespace()).Create(t.Context(), r, strict)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("the request was refused: %v", err)
			case test.want != "" && err == nil:
				t.Error("the request was allowed")
			case test.want != "" && !strings.Contains(err.Error(), test.want):
				t.Errorf("the message does not say %q: %v", test.want, err)
			}
		})
	}
}

// Users create and delete requests. They change the TTL only, and never the status.
func TestRequestIsImmutable(t *testing.T) {
	opts := controlplanetest.Options(t)
	daemon := dynamicClient(t, controlplanetest.StartWith(t, opts).RESTConfig())
	user := dynamicClient(t, userConfig(t, opts))
	const home = appv1alpha1.DefaultNamespace
	must(t, daemon, namespaces, newNamespace(home))
	for _, kind := range containersv1alpha1.RequestKinds() {
		resource := kind.GroupVersionResource()
		spec, changes := requestSpec(kind)
		created := must(t, user, resource, newRequest(t, kind, "one", spec))
		if ttl, _, _ := unstructured.NestedInt64(created.Object, "spec", "ttlSecondsAfterFinished"); ttl != containersv1alpha1.DefaultTTLSecondsAfterFinished {
			t.Errorf("%s: the TTL is %d by default", kind, ttl)
		}
		tests := []policyTest{
			{"the TTL", patch(resource, home, "one", `{"spec":{"ttlSecondsAfterFinished":5}}`), ""},
			{"no TTL", patch(resource, home, "one", `{"spec":{"ttlSecondsAfterFinished":null}}`), ""},
			{"a label", patch(resource, home, "one", `{"metadata":{"labels":{"a":"b"}}}`), ""},
			{"the status", patch(resource, home, "one", `{"status":{"message":"x"}}`, "status"), "delete it"},
			{"the definition", patch(crds, "", resource.GroupResource().String(), `{"metadata":{"labels":{"a":"b"}}}`), "belongs to rdd"},
		}
		for _, change := range changes {
			tests = append(tests, policyTest{change, patch(resource, home, "one", `{"spec":`+change+`}`), "only spec.ttlSecondsAfterFinished"})
		}
		tests = append(tests, policyTest{"a delete", remove(resource, home, "one"), ""})
		for _, test := range tests {
			err := test.try(t.Context(), user)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("%s, %s: refused: %v", kind, test.name, err)
			case test.want != "" && (!apierrors.IsForbidden(err) && !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), test.want)):
				t.Errorf("%s, %s: %v, want %q", kind, test.name, err, test.want)
			}
		}
	}
}

// requestSpec returns the spec of a request, and changes of it: another value, a new field
// and no value, as far as the kind has optional fields.
func requestSpec(kind containersv1alpha1.RequestKind) (spec string, changes []string) {
	switch kind {
	case containersv1alpha1.KindImagePullRequest, containersv1alpha1.KindImagePushRequest:
		return `{"image":"nginx"}`, []string{`{"image":"other"}`}
	case containersv1alpha1.KindImageTagRequest:
		return `{"image":"nginx","tag":"new"}`, []string{`{"image":"other"}`, `{"tag":"other"}`}
	case containersv1alpha1.KindPruneRequest:
		return `{"dryRun":true}`, []string{`{"dryRun":false}`, `{"all":true}`, `{"dryRun":null}`}
	case containersv1alpha1.KindContainerCreateRequest:
		return `{"name":"web","image":"nginx"}`, []string{`{"name":"other"}`, `{"labels":{"a":"b"}}`, `{"name":null}`}
	default:
		return `{"name":"web"}`, []string{`{"name":"other"}`, `{"labels":{"a":"b"}}`, `{"name":null}`}
	}
}
