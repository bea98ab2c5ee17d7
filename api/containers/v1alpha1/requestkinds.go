package v1alpha1

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// RequestKind names one of the kinds of requests.
type RequestKind string

// The kinds of requests.
const (
	KindContainerCreateRequest RequestKind = "ContainerCreateRequest"
	KindImagePullRequest       RequestKind = "ImagePullRequest"
	KindImagePushRequest       RequestKind = "ImagePushRequest"
	KindImageTagRequest        RequestKind = "ImageTagRequest"
	KindNetworkCreateRequest   RequestKind = "NetworkCreateRequest"
	KindPruneRequest           RequestKind = "PruneRequest"
	KindVolumeCreateRequest    RequestKind = "VolumeCreateRequest"
)

// requestRow is a kind of request and its Go types.
type requestRow struct {
	kind RequestKind
	// object and list return empty ones.
	object func() Request
	list   func() runtime.Object
}

// requestTable returns one row for each kind of request.
func requestTable() []requestRow {
	return []requestRow{
		{
			KindContainerCreateRequest,
			func() Request { return &ContainerCreateRequest{} }, func() runtime.Object { return &ContainerCreateRequestList{} },
		},
		{
			KindImagePullRequest,
			func() Request { return &ImagePullRequest{} }, func() runtime.Object { return &ImagePullRequestList{} },
		},
		{
			KindImagePushRequest,
			func() Request { return &ImagePushRequest{} }, func() runtime.Object { return &ImagePushRequestList{} },
		},
		{
			KindImageTagRequest,
			func() Request { return &ImageTagRequest{} }, func() runtime.Object { return &ImageTagRequestList{} },
		},
		{
			KindNetworkCreateRequest,
			func() Request { return &NetworkCreateRequest{} }, func() runtime.Object { return &NetworkCreateRequestList{} },
		},
		{
			KindPruneRequest,
			func() Request { return &PruneRequest{} }, func() runtime.Object { return &PruneRequestList{} },
		},
		{
			KindVolumeCreateRequest,
			func() Request { return &VolumeCreateRequest{} }, func() runtime.Object { return &VolumeCreateRequestList{} },
		},
	}
}

// RequestKinds returns every kind of request.
func RequestKinds() []RequestKind {
	table := requestTable()
	kinds := make([]RequestKind, len(table))
	for i, row := range table {
		kinds[i] = row.kind
	}
	return kinds
}

// NewRequest returns an empty request of a kind, or nil for an unknown kind.
func NewRequest(kind RequestKind) Request {
	for _, row := range requestTable() {
		if row.kind == kind {
			return row.object()
		}
	}
	return nil
}

// NewRequestList returns an empty list of a kind, or nil for an unknown kind.
func NewRequestList(kind RequestKind) runtime.Object {
	for _, row := range requestTable() {
		if row.kind == kind {
			return row.list()
		}
	}
	return nil
}

// GroupVersionKind returns the full name of the kind.
func (k RequestKind) GroupVersionKind() schema.GroupVersionKind {
	return GroupVersion.WithKind(string(k))
}

// GroupVersionResource returns the resource that serves objects of the kind.
func (k RequestKind) GroupVersionResource() schema.GroupVersionResource {
	return GroupVersion.WithResource(strings.ToLower(string(k)) + "s")
}
