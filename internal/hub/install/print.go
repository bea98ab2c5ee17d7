package install

import (
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// Print writes the objects of a hub as YAML, for those who apply them by other means. version
// is that of rdd; empty if it is not known.
func Print(w io.Writer, version string) error {
	objects, err := Objects(version)
	if err != nil {
		return err
	}
	for _, object := range objects {
		text, err := yaml.Marshal(object.Object)
		if err == nil {
			_, err = fmt.Fprintf(w, "---\n%s", text)
		}
		if err != nil {
			return fmt.Errorf("print %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}
