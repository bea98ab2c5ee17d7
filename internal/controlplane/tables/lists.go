package tables

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/endpoints/request"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/controlplane/registry"
)

// Lists returns a handler that answers lists in JSON, without managed fields, and passes
// other requests to next. It is for the page, which reads all mirrors whenever it is opened.
// The server of custom resources has no Go types for their objects, so that a list costs it
// several times as much.
func (t *Tables) Lists(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		info, found := request.RequestInfoFrom(r.Context())
		if !found || !isRead(info) || info.Verb != "list" || !slices.Contains([]string{"", "*/*", runtime.ContentTypeJSON}, r.Header.Get("Accept")) {
			next.ServeHTTP(w, r)
			return
		}
		of, found := t.resources[info.Resource]
		if !found || !t.served(info.Resource) {
			next.ServeHTTP(w, r)
			return
		}
		of.view = unmanaged{of.view}
		of.serve(w, r, info)
	})
}

// unmanaged is a view whose lists have no managed fields.
type unmanaged struct{ registry.View }

// List implements [rest.Lister].
func (u unmanaged) List(ctx context.Context, options *internalversion.ListOptions) (runtime.Object, error) {
	list, err := u.View.List(ctx, options)
	if err != nil {
		return nil, err
	}
	err = meta.EachListItem(list, func(item runtime.Object) error {
		object, ok := item.(metav1.Object)
		if !ok {
			return fmt.Errorf("a list has an item without metadata: %T", item)
		}
		object.SetManagedFields(nil)
		return nil
	})
	return list, err
}
