package property

import (
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// isQuantity is whether a schema is that of a resource.Quantity. Such a schema
// does not say so: it is known by its pattern, which lists the units.
func isQuantity(schema apiextensionsv1.JSONSchemaProps) bool {
	return schema.XIntOrString && strings.Contains(schema.Pattern, "KMGTPE")
}

// parseQuantity lets through what Kubernetes takes for a number of bytes. What
// people write elsewhere, such as 4GB or 4096MiB, gets an answer that helps.
func (p Property) parseQuantity(value string) (any, error) {
	quantity, err := resource.ParseQuantity(value)
	if err == nil && quantity.Sign() > 0 {
		return value, nil
	}
	const form = "%s=%s: use a number of bytes with or without a unit, such as 512Mi or 4Gi"
	bare := strings.TrimRight(value, "bB")
	if quantity, err := resource.ParseQuantity(bare); err == nil && bare != value && quantity.Sign() > 0 {
		return nil, usagef(form+"; did you mean %s?", p.Name, value, bare)
	}
	return nil, usagef(form, p.Name, value)
}
