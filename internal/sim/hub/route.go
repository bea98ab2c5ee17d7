package hub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/sim/cluster"
)

// The verbs of requests.
const (
	get     = "get"
	list    = "list"
	watch   = "watch"
	create  = "create"
	update  = "update"
	patch   = "patch"
	destroy = "delete"
)

// request is an HTTP request.
type request struct {
	verb, resource, name, subresource string
	query                             url.Values
	body                              []byte
	// isPartial is set if only the metadata is read.
	isPartial bool
	// begun is when the request was sent.
	begun time.Time
}

// parse reads an HTTP request.
func parse(r *http.Request) (request, error) {
	out := request{query: r.URL.Query(), begun: time.Now(), isPartial: strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadata")}
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
		var err error
		if out.body, err = io.ReadAll(r.Body); err != nil {
			return out, err
		}
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	prefix := 2 // api/VERSION
	if parts[0] == "apis" {
		prefix = 3
	}
	parts = parts[min(prefix, len(parts)):]
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	parts = append(parts, "", "", "")
	out.resource, out.name, out.subresource = parts[0], parts[1], parts[2]
	out.verb = map[string]string{
		http.MethodGet: get, http.MethodPost: create, http.MethodPut: update, http.MethodPatch: patch, http.MethodDelete: destroy,
	}[r.Method]
	if out.verb == get && out.name == "" {
		if out.verb = list; out.query.Get("watch") != "" {
			out.verb = watch
		}
	}
	return out, nil
}

// decode reads the body of a request that has one.
func (r request) decode(into any) error {
	if len(r.body) == 0 {
		return nil
	}
	var err error
	if obj, ok := into.(runtime.Object); ok && bytes.HasPrefix(r.body, []byte("k8s\x00")) {
		_, _, err = scheme.Codecs.UniversalDeserializer().Decode(r.body, nil, obj) // protobuf
	} else {
		err = json.Unmarshal(r.body, into)
	}
	if err != nil {
		return apierrors.NewBadRequest(fmt.Sprintf("simulated: %s %s: %v: %.40q", r.verb, r.resource, err, r.body))
	}
	return nil
}

// kindOf returns the kind of a resource of containers, or false.
func kindOf(resource string) (containersv1.Kind, bool) {
	for _, kind := range containersv1.Kinds() {
		if kind.GroupVersionResource().Resource == resource {
			return kind, true
		}
	}
	for _, kind := range containersv1.RequestKinds() {
		if kind.GroupVersionResource().Resource == resource {
			return containersv1.Kind(kind), true
		}
	}
	return "", false
}

// handler returns what serves a request.
func (h *Hub) handler(r request) func(request) (any, error) {
	switch r.resource {
	case "leases":
		return h.serveLease
	case "namespaces":
		return h.serveNamespace
	case "customresourcedefinitions":
		return h.serveDefinition
	case "machines":
		return h.serveMachine
	}
	kind, ok := kindOf(r.resource)
	if !ok {
		return func(request) (any, error) {
			return nil, apierrors.NewBadRequest(fmt.Sprintf("simulated: no resource %q", r.resource))
		}
	}
	key := cluster.Key{Kind: kind, Namespace: Machine, Name: r.name}
	return func(r request) (any, error) { return h.serveObject(r, key) }
}
