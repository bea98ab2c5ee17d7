package property

import (
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// isQuantity reports whether a schema is that of a resource.Quantity. Only its
// pattern, which lists the units, shows that.
func isQuantity(schema apiextensionsv1.JSONSchemaProps) bool {
	return schema.XIntOrString && strings.Contains(schema.Pattern, "KMGTPE")
}

// parseQuantity checks that Kubernetes accepts value as a number of bytes. For other
// notations, such as 4GB or 4096MiB, the error suggests the right one.
func (p Property) parseQuantity(value string) (any, error) {
	quantity, err := resource.ParseQuantity(value)
	if err == nil && quantity.Sign() > 0 {
		return value, nil
	}
	const form = "%s=%s: use a number of bytes, such as 512Mi or 4Gi"
	bare := strings.TrimRight(value, "bB")
	if quantity, err := resource.ParseQuantity(bare); err == nil && bare != value && quantity.Sign() > 0 {
		return nil, usagef(form+"; did you mean %s?", p.Name, value, bare)
	}
	return nil, usagef(form, p.Name, value)
}
