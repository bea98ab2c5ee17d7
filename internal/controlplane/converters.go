package controlplane

import (
	"fmt"
	"net/url"
)

// noServices is the [webhook.ServiceResolver] of an API server without Services. A
// policy refuses definitions with a conversion webhook. Conversions of a definition that
// is already in the datastore fail with this error; without a resolver the process
// would panic.
type noServices struct{}

// ResolveEndpoint implements [webhook.ServiceResolver].
func (noServices) ResolveEndpoint(namespace, name string, _ int32) (*url.URL, error) {
	return nil, fmt.Errorf("call the conversion webhook of service %s/%s: rdd has no Services: set spec.conversion.strategy of the definition to None",
		namespace, name)
}
