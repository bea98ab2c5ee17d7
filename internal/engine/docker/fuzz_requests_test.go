package docker

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	jsonutil "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/randfill"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/schematest"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// requestUID is the UID of the fuzzed requests.
const requestUID = "0e9a4bdc-6c5f-4a3b-8a70-3b6c7f5c2b11"

// requestSeeds are specs of the kinds of requests.
func requestSeeds() map[containersv1.RequestKind][]string {
	return map[containersv1.RequestKind][]string{
		containersv1.KindContainerCreateRequest: {
			`{"image":"nginx:1.27","name":"web","ports":[{"containerPort":80,"hostPort":0,"hostIP":"::1"}],"cpus":"500m","memory":"6Mi","env":[{"name":"A"}]}`,
			`{"image":"a","mounts":[{"type":"tmpfs","mountPath":"/t","sizeLimit":"64Mi"},{"type":"volume","mountPath":"/v"}],"restartPolicy":"OnFailure","maxRetries":3}`,
			`{"image":"a","cpus":"1e30","memory":"1E","networks":["host"],"healthCheck":{"command":["x"],"periodSeconds":1},"stopSignal":"SIGRTMIN+3","hostname":"h.a"}`,
		},
		containersv1.KindImagePullRequest: {
			`{"image":"localhost:5000/team/app:1","platform":"linux/arm/v7"}`, `{"image":"-a.b/c"}`,
			`{"image":"nginx@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}`,
			`{"image":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}`,
			`{"image":"a.b/` + strings.Repeat("0123456789abcdef/", 16) + `a:1"}`,
		},
		containersv1.KindImagePushRequest:     {`{"image":"localhost:5000/team/app:1"}`},
		containersv1.KindImageTagRequest:      {`{"image":"sha256:0123","tag":"team/app"}`},
		containersv1.KindPruneRequest:         {`{"kinds":["Image","BuildCache"],"labels":["a","a=b","!a","a!=b"],"until":"2026-01-02T03:04:05Z"}`},
		containersv1.KindVolumeCreateRequest:  {`{"name":"data","driver":"local","options":{"type":"tmpfs"},"labels":{"a":""}}`},
		containersv1.KindNetworkCreateRequest: {`{"name":"net","subnets":[{"subnet":"172.30.0.0/16","ipRange":"172.30.1.0/24","gateway":"172.30.0.1"},{"subnet":"fd00::/64"}],"ipv6":true}`},
	}
}

// FuzzRequests makes up requests: what the definitions accept can be sent to the engine.
// The other direction does not hold, because the definitions may demand more.
func FuzzRequests(f *testing.F) {
	server, kinds, seeds := schematest.NewRequests(f), containersv1.RequestKinds(), requestSeeds()
	for i, kind := range kinds {
		for _, spec := range seeds[kind] {
			f.Add(uint8(i), []byte(spec))
		}
		f.Add(uint8(i), []byte("\x9c\x01 kf\x77 random bytes fill the fields of the spec"))
	}
	f.Fuzz(func(t *testing.T, index uint8, data []byte) {
		kind := kinds[int(index)%len(kinds)]
		spec := fillSpec(t, kind, data)
		if spec == nil {
			return // JSON, but no object
		}
		if request := accepted(t, server, kind, spec); request != nil {
			checkSendable(t, request)
		}
	})
}

// fillSpec returns the spec that the fuzzer's data stands for: JSON, or random values.
func fillSpec(t *testing.T, kind containersv1.RequestKind, data []byte) map[string]any {
	t.Helper()
	var spec map[string]any
	if json.Valid(data) {
		if jsonutil.Unmarshal(data, &spec) != nil {
			return nil
		}
		return spec
	}
	request := containersv1.NewRequest(kind)
	randfill.NewFromGoFuzz(data).NilChance(.5).NumElements(0, 2).Funcs(noMetadata, fillRequestText, fillQuantity).Fill(request)
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(request)
	if err != nil {
		t.Fatal(err)
	}
	spec, _ = content["spec"].(map[string]any)
	return spec
}

// noMetadata leaves out what is not in the spec.
func noMetadata(*metav1.ObjectMeta, randfill.Continue) {}

func fillRequestText(text *string, c randfill.Continue) {
	likely := []string{
		"", "web", "nginx:1.27", "a/b@sha256:0", "/data", "/", "host", "none", "bind", "volume", "tmpfs", "TCP", "UDP", "OnFailure", "Never", "Created",
		"linux/arm/v7", "172.30.0.0/16", "172.30.0.1", "fd00::/64", "::ffff:10.0.0.0/104", "1.2.3.4", "SIGINT", "9", "Image", "key!=value", "NET_ADMIN",
	}
	if *text = likely[c.Intn(len(likely))]; c.Intn(8) == 0 {
		*text = c.String(0)
	}
}

func fillQuantity(q *resource.Quantity, c randfill.Continue) {
	texts := []string{"500m", "6Mi", "0", "-1", "1n", "0.1n", "1E", "9e99", "8191Pi", "9223372036854775807", "9223372036854775808"}
	*q = resource.MustParse(texts[c.Intn(len(texts))])
}

// accepted returns the request that the API server would store, or nil if it refuses it.
func accepted(t *testing.T, server schematest.Server, kind containersv1.RequestKind, spec map[string]any) containersv1.Request {
	t.Helper()
	obj := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "one", "namespace": "home", "uid": requestUID}, "spec": spec,
	}}
	obj.SetGroupVersionKind(kind.GroupVersionKind())
	obj.Object = server.Serve(t, obj)
	if len(server.Complaints(obj)) > 0 {
		return nil
	}
	request := containersv1.NewRequest(kind)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, request); err != nil {
		t.Fatalf("%s: the stored request cannot be read: %v", obj.Object, err)
	}
	return request
}

// checkSendable fails the test unless the request can be sent to the engine.
func checkSendable(t *testing.T, request containersv1.Request) {
	t.Helper()
	var err error
	switch r := request.(type) {
	case *containersv1.ContainerCreateRequest:
		err = checkContainerOptions(t, r.Spec)
	case *containersv1.NetworkCreateRequest:
		_, err = networkOptions(r.Spec, requestUID)
	case *containersv1.ImagePullRequest:
		if _, err = parseReference(r.Spec.Image); err == nil {
			_, err = engine.ParsePlatform(r.Spec.Platform)
		}
	case *containersv1.ImagePushRequest:
		err = checkTag(t, r.Spec.Image)
	case *containersv1.ImageTagRequest:
		err = checkTag(t, r.Spec.Tag)
	case *containersv1.PruneRequest:
		for _, label := range r.Spec.Labels {
			if _, err = engine.ParseLabelFilter(label); err != nil {
				break
			}
		}
	}
	if err != nil {
		text, _ := json.Marshal(request)
		t.Errorf("the definition accepts %s: %v", text, err)
	}
}

func checkTag(t *testing.T, text string) error {
	t.Helper()
	named, err := parseReference(text)
	if err != nil {
		return err
	}
	if _, ok := named.(reference.Tagged); !ok {
		t.Errorf("%q is no tag", text)
	}
	return nil
}

func checkContainerOptions(t *testing.T, spec containersv1.ContainerCreateRequestSpec) error {
	t.Helper()
	options, err := containerOptions(spec, requestUID)
	if err != nil {
		return err
	}
	const leastMemory = 6 << 20
	host := options.HostConfig
	switch {
	case !engine.FromRequest(options.Config.Labels, requestUID):
		t.Errorf("the labels %v do not have the request", options.Config.Labels)
	case spec.CPUs != nil && host.NanoCPUs <= 0:
		t.Errorf("cpus %s are %d", spec.CPUs, host.NanoCPUs)
	case spec.Memory != nil && host.Memory < leastMemory:
		t.Errorf("memory %s is %d", spec.Memory, host.Memory)
	}
	for i, m := range host.Mounts {
		if size := spec.Mounts[i].SizeLimit; size != nil && m.TmpfsOptions.SizeBytes < 0 {
			t.Errorf("the size %s is %d", size, m.TmpfsOptions.SizeBytes)
		}
	}
	_, err = json.Marshal(options.Config)
	return err
}
