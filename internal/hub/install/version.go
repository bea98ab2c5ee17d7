package install

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/version"
	"sigs.k8s.io/controller-runtime/pkg/client"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// Option changes what Apply does.
type Option func(*options)

type options struct {
	version  string
	isForced bool
}

// WithVersion is the version of rdd that installs the hub, as in v1.2.3. Without it, or with
// another text, Apply cannot know whether it is older than the hub.
func WithVersion(v string) Option { return func(o *options) { o.version = v } }

// WithDowngrade permits to replace a hub of a newer version.
func WithDowngrade(isPermitted bool) Option {
	return func(o *options) { o.isForced = isPermitted }
}

// DowngradeError is the error of Apply and of CheckVersion for a hub of a newer version. They
// have changed nothing.
type DowngradeError struct {
	// Hub is the version that installed the hub, and Own that of this rdd. Own is no version
	// if it is not known.
	Hub, Own string
}

func (e *DowngradeError) Error() string {
	if parse(e.Own) == nil {
		return fmt.Sprintf("this hub was installed by rdd %s, and this rdd has no version and may be older: use rdd %[1]s or later", e.Hub)
	}
	return fmt.Sprintf("this hub was installed by rdd %s, and this rdd is %s, which is older: use rdd %[1]s or later", e.Hub, e.Own)
}

// parse returns nil for a text that is no version.
func parse(text string) *version.Version {
	v, err := version.ParseSemantic(text)
	if err != nil {
		return nil
	}
	return v
}

// checkVersion returns a *DowngradeError if one of the objects was installed by a newer
// version. All are read, because an installation may have been interrupted.
func checkVersion(ctx context.Context, c client.Client, objects []*unstructured.Unstructured, own string) error {
	var newest string
	for _, object := range objects {
		found := &metav1.PartialObjectMetadata{}
		found.SetGroupVersionKind(object.GroupVersionKind())
		err := c.Get(ctx, client.ObjectKeyFromObject(object), found)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("read the version of %s %s: %w", object.GetKind(), object.GetName(), err)
		}
		installed := found.Annotations[hubv1.VersionAnnotation]
		if v := parse(installed); v != nil && (newest == "" || parse(newest).LessThan(v)) {
			newest = installed
		}
	}
	return compare(newest, own)
}

// compare returns a *DowngradeError if the version of a hub is newer than own. An empty one is
// not known, and permits everything.
func compare(hub, own string) error {
	newest := parse(hub)
	if newest == nil {
		return nil
	}
	if v := parse(own); v == nil || v.LessThan(newest) {
		return &DowngradeError{Hub: hub, Own: own}
	}
	return nil
}

// CheckVersion returns a *DowngradeError if a newer version of rdd than own has installed the
// hub. What own adds may then lack something that the hub requires. An update begins with
// the definitions, so that of Machines has the version.
func CheckVersion(ctx context.Context, c client.Client, own string) error {
	crd := &metav1.PartialObjectMetadata{}
	crd.SetGroupVersionKind(crdKind().WithVersion("v1"))
	err := c.Get(ctx, client.ObjectKey{Name: machinesCRD}, crd)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read the version of the hub: %w", err)
	}
	return compare(crd.Annotations[hubv1.VersionAnnotation], own)
}
