package controlplane

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	apiextensionshelpers "k8s.io/apiextensions-apiserver/pkg/apihelpers"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdopenapi "k8s.io/apiextensions-apiserver/pkg/controller/openapi"
	crdopenapiv3 "k8s.io/apiextensions-apiserver/pkg/controller/openapiv3"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apiserver/pkg/server/mux"
	"k8s.io/apiserver/pkg/server/routes"
	"k8s.io/client-go/tools/cache"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/streams"
)

const (
	openAPIV2Path = "/openapi/v2"
	openAPIV3Path = "/openapi/v3"
	// openAPIPatience is how long the first request for a document waits for the custom
	// resources in it. Building them takes a tenth of a second.
	openAPIPatience = 10 * time.Second
)

// serveOpenAPI serves the OpenAPI documents. The first request builds them: few clients
// read them, and building them would be a quarter of the work of each start. The
// controllers that add custom resources run until ctx is done.
func (s *apiServers) serveOpenAPI(ctx context.Context) {
	paths := s.core.Handler.NonGoRestfulMux
	v2 := onFirstRequest(func() http.Handler { return s.openAPIV2(ctx) })
	v3 := onFirstRequest(func() http.Handler { return s.openAPIV3(ctx) })
	paths.Handle(openAPIV2Path, v2)
	paths.Handle(openAPIV3Path, v3)
	paths.HandlePrefix(openAPIV3Path+"/", v3)
}

// onFirstRequest returns a handler that is built when it is first called.
func onFirstRequest(build func() http.Handler) http.Handler {
	built := sync.OnceValue(build)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { built().ServeHTTP(w, r) })
}

func (s *apiServers) openAPIV2(ctx context.Context) http.Handler {
	handler := mux.NewPathRecorderMux("openapi-v2")
	service, document := routes.OpenAPI{Config: s.config.OpenAPIConfig}.InstallV2(s.core.Handler.GoRestfulContainer, handler)
	streams.AddToOpenAPIV2(document)
	controller := crdopenapi.NewController(s.crds.Informers.Apiextensions().V1().CustomResourceDefinitions())
	go controller.Run(document, service, ctx.Done())
	s.waitForDocuments(ctx, handler, func(schemaPath) string { return openAPIV2Path })
	return handler
}

func (s *apiServers) openAPIV3(ctx context.Context) http.Handler {
	handler := mux.NewPathRecorderMux("openapi-v3")
	service := routes.OpenAPI{V3Config: s.config.OpenAPIV3Config}.InstallV3(s.core.Handler.GoRestfulContainer, handler)
	controller := crdopenapiv3.NewController(s.crds.Informers.Apiextensions().V1().CustomResourceDefinitions())
	go controller.Run(service, ctx.Done())
	s.waitForDocuments(ctx, handler, func(p schemaPath) string { return openAPIV3Path + "/" + p.group })
	return handler
}

// schemaPath is the path of the collection of a custom resource.
type schemaPath struct {
	// group is the part for the group and the version, such as apis/example.com/v1.
	group string
	// resource is the rest of the path.
	resource string
}

// waitForDocuments waits until the documents have the custom resources that exist now.
// The controllers do not report that. documentOf returns the path of a document.
func (s *apiServers) waitForDocuments(ctx context.Context, handler http.Handler, documentOf func(schemaPath) string) {
	ctx, cancel := context.WithTimeout(ctx, openAPIPatience)
	defer cancel()
	informer := s.crds.Informers.Apiextensions().V1().CustomResourceDefinitions()
	if !cache.WaitForCacheSync(ctx.Done(), informer.Informer().HasSynced) {
		return
	}
	definitions, err := informer.Lister().List(labels.Everything())
	if err != nil {
		return
	}
	missing := map[string][]string{}
	for _, p := range schemaPaths(definitions) {
		missing[documentOf(p)] = append(missing[documentOf(p)], `"/`+p.group+p.resource+`"`)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for document, collections := range missing {
		for !hasAll(ctx, handler, document, collections) {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

func schemaPaths(definitions []*apiextensionsv1.CustomResourceDefinition) (paths []schemaPath) {
	for _, crd := range definitions {
		if !apiextensionshelpers.IsCRDConditionTrue(crd, apiextensionsv1.Established) {
			continue
		}
		resource := "/" + crd.Spec.Names.Plural
		if crd.Spec.Scope == apiextensionsv1.NamespaceScoped {
			resource = "/namespaces/{namespace}" + resource
		}
		for _, version := range crd.Spec.Versions {
			if version.Served {
				paths = append(paths, schemaPath{group: "apis/" + crd.Spec.Group + "/" + version.Name, resource: resource})
			}
		}
	}
	return paths
}

// hasAll reports whether a document has all paths, each in quotation marks.
func hasAll(ctx context.Context, handler http.Handler, document string, paths []string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, document, http.NoBody)
	if err != nil {
		return false
	}
	request.Header.Set("Accept", "application/json")
	body := &bodyWriter{header: http.Header{}}
	handler.ServeHTTP(body, request)
	for _, path := range paths {
		if !bytes.Contains(body.Bytes(), []byte(path)) {
			return false
		}
	}
	return true
}

// bodyWriter keeps the body of an answer.
type bodyWriter struct {
	bytes.Buffer
	header http.Header
}

func (w *bodyWriter) Header() http.Header { return w.header }

func (*bodyWriter) WriteHeader(int) {}
