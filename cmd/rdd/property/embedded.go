package property

import (
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/rancher-sandbox/rancher-desktop-daemon/api/crds"
)

// EmbeddedCRD returns the App's CustomResourceDefinition in this program, for use
// when no daemon runs.
func EmbeddedCRD() (*apiextensionsv1.CustomResourceDefinition, error) {
	text, err := crds.FS.ReadFile("app.rancherdesktop.io_apps.yaml")
	if err != nil {
		return nil, fmt.Errorf("read the embedded definition of the App: %w", err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal(text, crd); err != nil {
		return nil, fmt.Errorf("decode the embedded definition of the App: %w", err)
	}
	return crd, nil
}
