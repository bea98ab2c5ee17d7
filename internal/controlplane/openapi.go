package controlplane

import (
	"slices"
	"strings"

	apiextensionsapiserver "k8s.io/apiextensions-apiserver/pkg/apiserver"
	"k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	generated "k8s.io/kubernetes/pkg/generated/openapi"
)

// documentedTypes returns the name prefixes of the types that OpenAPI describes. Types
// that they refer to are added. The generated definitions have a thousand more types,
// which would stay in memory.
func documentedTypes() []string {
	return []string{
		"io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
		"io.k8s.api.authentication.v1.SelfSubjectReview",
		"io.k8s.api.authorization.v1.SelfSubjectAccessReview",
		"io.k8s.api.authorization.v1.SelfSubjectRulesReview",
		"io.k8s.api.autoscaling.v1.Scale",
		"io.k8s.api.core.v1.Event",
		"io.k8s.api.core.v1.Namespace",
		"io.k8s.api.events.v1.Event",
		"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.",
		"io.k8s.apimachinery.pkg.",
	}
}

// definitions returns the documented types of [generated.GetOpenAPIDefinitions].
func definitions(ref common.ReferenceCallback) map[string]common.OpenAPIDefinition {
	all := generated.GetOpenAPIDefinitions(ref)
	prefixes := documentedTypes()
	kept := map[string]common.OpenAPIDefinition{}
	var keep func(name string)
	keep = func(name string) {
		definition, known := all[name]
		if _, done := kept[name]; done || !known {
			return
		}
		kept[name] = definition
		for _, dependency := range definition.Dependencies {
			keep(dependency)
		}
	}
	for name := range all {
		if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			keep(name)
		}
	}
	return kept
}

func setOpenAPI(config *genericapiserver.Config) {
	namer := openapi.NewDefinitionNamer(legacyscheme.Scheme, apiextensionsapiserver.Scheme)
	config.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(definitions, namer)
	config.OpenAPIConfig.Info.Title = "rdd"
	config.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(definitions, namer)
	config.OpenAPIV3Config.Info.Title = "rdd"
}
