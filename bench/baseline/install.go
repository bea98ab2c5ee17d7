package baseline

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/api/crds"
)

const (
	// Group has copies of rdd's kinds, since only rdd may create mirrors in its own
	// group.
	Group = "baseline.rancherdesktop.io"
	// establishTimeout bounds the wait for the copies to be served.
	establishTimeout = 30 * time.Second
	// establishDelay is the time for which the API server delays the first object of a
	// new definition. Install waits for it, so that no measurement includes it.
	establishDelay = 2 * time.Second
	poll           = 10 * time.Millisecond
)

// GroupVersion returns the group and version of the baseline's kinds, whose names and
// fields are those of rdd's kinds.
var GroupVersion = schema.GroupVersion{Group: Group, Version: containersv1.GroupVersion.Version} //nolint:gochecknoglobals // as in every API package

// Install creates the definitions of the baseline's kinds unless they exist, and waits
// until objects of them can be created without a delay.
func Install(ctx context.Context, admin *rest.Config) error {
	c, err := client.New(admin, client.Options{})
	if err != nil {
		return fmt.Errorf("make a client for the baseline's definitions: %w", err)
	}
	definitions, err := definitions()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, establishTimeout)
	defer cancel()
	for _, crd := range definitions {
		if err := client.IgnoreAlreadyExists(c.Create(ctx, crd)); err != nil {
			return fmt.Errorf("make the definition %s: %w", crd.GetName(), err)
		}
	}
	for _, crd := range definitions {
		if err := awaitEstablished(ctx, c, crd); err != nil {
			return err
		}
	}
	return nil
}

// definitions returns rdd's definitions of the mirrored kinds for the other group.
func definitions() ([]*unstructured.Unstructured, error) {
	paths, err := fs.Glob(crds.FS, containersv1.GroupVersion.Group+"_*.yaml")
	if err != nil {
		return nil, err
	}
	var out []*unstructured.Unstructured
	for _, path := range paths {
		data, err := fs.ReadFile(crds.FS, path)
		if err != nil {
			return nil, err
		}
		data = bytes.ReplaceAll(data, []byte(containersv1.GroupVersion.Group), []byte(Group))
		crd := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(data, &crd.Object); err != nil {
			return nil, fmt.Errorf("read the definition %s: %w", path, err)
		}
		out = append(out, crd)
	}
	return out, nil
}

func awaitEstablished(ctx context.Context, c client.Client, crd *unstructured.Unstructured) error {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		if err := c.Get(ctx, client.ObjectKeyFromObject(crd), crd); err != nil {
			return fmt.Errorf("read the definition %s: %w", crd.GetName(), err)
		}
		if since, ok := establishedSince(crd); ok && time.Since(since) > establishDelay {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the definition %s to be established: %w", crd.GetName(), ctx.Err())
		case <-ticker.C:
		}
	}
}

func establishedSince(crd *unstructured.Unstructured) (time.Time, bool) {
	conditions, _, err := unstructured.NestedSlice(crd.Object, "status", "conditions")
	if err != nil {
		return time.Time{}, false
	}
	for _, one := range conditions {
		condition, ok := one.(map[string]any)
		if !ok || condition["type"] != "Established" || condition["status"] != "True" {
			continue
		}
		text, _ := condition["lastTransitionTime"].(string)
		since, err := time.Parse(time.RFC3339, text)
		return since, err == nil
	}
	return time.Time{}, false
}
