package streams

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/kube-openapi/pkg/handler3"
	"k8s.io/kube-openapi/pkg/openapiconv"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// openAPIPath is where clients find the documents of OpenAPI v3.
const openAPIPath = "/openapi/v3"

// groupPath names the document of the group of containers.
func groupPath() string { return "apis/" + containersv1.GroupVersion.String() }

// AddToOpenAPIV2 adds the subresources to a document of OpenAPI v2.
func AddToOpenAPIV2(document *spec.Swagger) {
	if document == nil {
		return
	}
	if document.Paths == nil {
		document.Paths = &spec.Paths{}
	}
	if document.Paths.Paths == nil {
		document.Paths.Paths = map[string]spec.PathItem{}
	}
	for _, name := range subresources() {
		path := "/" + groupPath() + "/namespaces/{namespace}/" + containers + "/{name}/" + name
		document.Paths.Paths[path] = pathItem(name)
	}
}

// pathItem describes a subresource in the form of the same subresource of pods.
func pathItem(subresource string) spec.PathItem {
	item := spec.PathItem{PathItemProps: spec.PathItemProps{Parameters: []spec.Parameter{
		inPath("name", "name of the Container"), inPath("namespace", "object name and auth scope, such as for teams and projects"),
	}}}
	for _, p := range parameters(subresource) {
		item.Parameters = append(item.Parameters, inQuery(p))
	}
	if subresource == exec || subresource == attach {
		item.Get, item.Post = operation(subresource, "connectGet"), operation(subresource, "connectPost")
		return item
	}
	item.Get = operation(subresource, "read")
	return item
}

func inPath(name, description string) spec.Parameter {
	return spec.Parameter{
		ParamProps:   spec.ParamProps{Name: name, In: "path", Description: description, Required: true},
		SimpleSchema: spec.SimpleSchema{Type: "string"}, CommonValidations: spec.CommonValidations{UniqueItems: true},
	}
}

func inQuery(p parameter) spec.Parameter {
	return spec.Parameter{
		ParamProps:   spec.ParamProps{Name: p.name, In: "query", Description: p.description},
		SimpleSchema: spec.SimpleSchema{Type: p.kind}, CommonValidations: spec.CommonValidations{UniqueItems: true},
	}
}

// operation describes a method of a subresource. verb begins its ID.
func operation(subresource, verb string) *spec.Operation {
	group := containersv1.GroupVersion
	const owner = "ContainersRancherdesktopIo"
	action := "connect"
	if verb == "read" {
		action = "get"
	}
	text := spec.Response{ResponseProps: spec.ResponseProps{Description: "OK", Schema: spec.StringProperty()}}
	refused := spec.Response{ResponseProps: spec.ResponseProps{Description: "Unauthorized"}}
	return &spec.Operation{
		OperationProps: spec.OperationProps{
			ID:          verb + owner + capitalized(group.Version) + "NamespacedContainer" + capitalized(subresource),
			Description: description(subresource), Tags: []string{"containersRancherdesktopIo_" + group.Version},
			Consumes: []string{"*/*"}, Produces: []string{produces(subresource)}, Schemes: []string{"https"},
			Responses: &spec.Responses{ResponsesProps: spec.ResponsesProps{
				StatusCodeResponses: map[int]spec.Response{http.StatusOK: text, http.StatusUnauthorized: refused},
			}},
		},
		VendorExtensible: spec.VendorExtensible{Extensions: spec.Extensions{
			"x-kubernetes-action": action,
			"x-kubernetes-group-version-kind": map[string]any{
				"group": group.Group, "version": group.Version, "kind": string(containersv1.KindContainer),
			},
		}},
	}
}

func capitalized(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

func produces(subresource string) string {
	switch subresource {
	case logs:
		return "text/plain"
	case stats:
		return "application/json"
	}
	return "*/*"
}

func description(subresource string) string {
	switch subresource {
	case logs:
		return "read the log of the specified Container"
	case stats:
		return "read what the specified Container uses of processors, memory, network and disks: one JSON object in each line"
	case exec:
		return "run a command in the specified Container, over a WebSocket with the subprotocol " + protocols()[0]
	}
	return "attach to the main process of the specified Container, over a WebSocket with the subprotocol " + protocols()[0]
}

// OpenAPIV3 returns a handler that adds the subresources to the document of OpenAPI v3
// of their group, which the server of custom resources makes.
func OpenAPIV3(next http.Handler) http.Handler {
	document := &document{next: next, extended: handler3.NewOpenAPIService()}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case openAPIPath + "/" + groupPath():
			document.serve(w, r)
		case openAPIPath:
			document.serveIndex(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// document is the extended document of the group of containers.
type document struct {
	next     http.Handler
	extended *handler3.OpenAPIService

	mu sync.Mutex
	// of is the tag of the document that was extended; empty before the first one.
	of string
}

func (d *document) serve(w http.ResponseWriter, r *http.Request) {
	if !d.refresh(r) {
		d.next.ServeHTTP(w, r)
		return
	}
	d.extended.HandleGroupVersion(w, r)
}

// serveIndex serves the list of documents, in which the tag of the extended one differs
// from that of the original.
func (d *document) serveIndex(w http.ResponseWriter, r *http.Request) {
	var index handler3.OpenAPIV3Discovery
	answer := get(d.next, r, openAPIPath)
	if json.Unmarshal(answer.body, &index) != nil || index.Paths[groupPath()].ServerRelativeURL == "" || !d.refresh(r) {
		d.next.ServeHTTP(w, r)
		return
	}
	tag := tagOf(get(http.HandlerFunc(d.extended.HandleGroupVersion), r, openAPIPath+"/"+groupPath()))
	index.Paths[groupPath()] = handler3.OpenAPIV3DiscoveryGroupVersion{ServerRelativeURL: openAPIPath + "/" + groupPath() + "?hash=" + tag}
	content, err := json.Marshal(index)
	if err != nil {
		d.next.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Etag", strconv.Quote(fmt.Sprintf("%X", sha256.Sum256(content))))
	http.ServeContent(w, r, openAPIPath, time.Time{}, bytes.NewReader(content))
}

// refresh extends the document of next again if that has changed. It reports whether
// there is one.
func (d *document) refresh(r *http.Request) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	answer := get(d.next, r, openAPIPath+"/"+groupPath())
	tag := tagOf(answer)
	if tag == "" || tag == d.of {
		return tag != ""
	}
	extended := &spec3.OpenAPI{}
	if json.Unmarshal(answer.body, extended) != nil || extended.Paths == nil {
		return false
	}
	added := &spec.Swagger{}
	AddToOpenAPIV2(added)
	maps.Copy(extended.Paths.Paths, openapiconv.ConvertV2ToV3(added).Paths.Paths)
	d.extended.UpdateGroupVersion(groupPath(), extended)
	d.of = tag
	return true
}

// get returns the answer to an unconditional GET of a path as JSON.
func get(handler http.Handler, r *http.Request, path string) *recorder {
	plain := r.Clone(r.Context())
	plain.Method, plain.Header = http.MethodGet, http.Header{"Accept": {"application/json"}}
	plain.URL.Path, plain.URL.RawPath, plain.URL.RawQuery = path, "", ""
	answer := &recorder{header: http.Header{}}
	handler.ServeHTTP(answer, plain)
	return answer
}

func tagOf(answer *recorder) string {
	tag, err := strconv.Unquote(answer.header.Get("Etag"))
	if err != nil || len(answer.body) == 0 {
		return ""
	}
	return tag
}
