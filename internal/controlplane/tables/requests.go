package tables

import (
	"cmp"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// requestTable returns the table of every kind of request.
func requestTable() table {
	const request, subject, state, message = 0, 1, 2, 3
	return table{
		columns: []column{
			{name: "Request", description: "Name of the request.", cut: cutMiddle},
			{name: "For", description: "What the request is about.", cut: cutImage},
			{name: "State", description: "Complete, Failed, or what the request does or waits for.", cut: cutEnd},
			{name: "Message", description: "What the request waits for, its outcome, or the error of the engine.", cut: cutEnd},
			{name: "Age", description: "Time since the request was created."},
			{name: "Full message", description: "The message, never cut.", wide: true},
			{name: "Full for", description: "What the request is about, never cut.", wide: true},
			{name: "Result", description: "Name of the resource that came of the request.", wide: true},
			nameColumn(),
		},
		steps: []step{{message, 24}, {subject, 24}, {request, 24}, {subject, 14}, {state, 14}, {request, 14}, {message, 12}},
		cells: func(obj runtime.Object, known facts) []string {
			r := obj.(containersv1.Request)
			s := r.CommonStatus()
			about, text, result := subjectOf(r), oneLine(s.Message), ""
			if s.Result != nil {
				result = s.Result.Name
			}
			return []string{r.GetName(), about, stateOf(s), text, age(created(r), known.now), text, about, result, r.GetName()}
		},
	}
}

// subjectOf returns what a request is about.
func subjectOf(r containersv1.Request) string {
	switch r := r.(type) {
	case *containersv1.ContainerCreateRequest:
		return cmp.Or(r.Spec.Name, r.Spec.Image)
	case *containersv1.ImagePullRequest:
		return r.Spec.Image
	case *containersv1.ImagePushRequest:
		return r.Spec.Image
	case *containersv1.ImageTagRequest:
		return r.Spec.Tag
	case *containersv1.NetworkCreateRequest:
		return r.Spec.Name
	case *containersv1.VolumeCreateRequest:
		return r.Spec.Name
	case *containersv1.PruneRequest:
		return pruned(r)
	}
	return ""
}

// pruned returns what a request removes, such as "3 of images, volumes (dry run)".
func pruned(r *containersv1.PruneRequest) string {
	kinds := make([]string, len(r.Spec.Kinds))
	for i, kind := range r.Spec.Kinds {
		kinds[i] = strings.ToLower(string(kind)) + "s"
	}
	text := strings.Join(kinds, ", ")
	if r.Status.CompletedAt != nil {
		text = fmt.Sprintf("%d of %s", r.Status.PrunedCount, text)
	}
	if r.Spec.DryRun {
		text += " (dry run)"
	}
	return text
}

// stateOf returns whether a request is complete, has failed, or how far it is.
func stateOf(s *containersv1.RequestStatus) string {
	if meta.IsStatusConditionTrue(s.Conditions, containersv1.ConditionComplete) {
		return "Complete"
	}
	if failed := meta.FindStatusCondition(s.Conditions, containersv1.ConditionFailed); failed != nil && failed.Status == metav1.ConditionTrue {
		return "Failed"
	}
	if p := s.Progress; p != nil && p.TotalBytes > 0 {
		return fmt.Sprintf("%s %d%%", cmp.Or(p.Phase, "In progress"), min(100, 100*p.Bytes/p.TotalBytes))
	}
	complete := meta.FindStatusCondition(s.Conditions, containersv1.ConditionComplete)
	if complete == nil {
		return containersv1.ReasonPending
	}
	return complete.Reason
}
