package schematest

import (
	"reflect"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// container returns a valid container.
func container() *containersv1.Container {
	at := metav1.NewMicroTime(time.Date(2016, 2, 29, 23, 59, 59, 123456000, time.UTC))
	return &containersv1.Container{
		ObjectMeta: metav1.ObjectMeta{Name: "one", Namespace: "home", Generation: 1, CreationTimestamp: metav1.NewTime(at.Truncate(time.Second))},
		Spec:       containersv1.ContainerSpec{State: containersv1.StateUnknown},
		Status: containersv1.ContainerStatus{
			Status: containersv1.ContainerRunning, Args: []string{"a"}, CreatedAt: &at,
			Ports: []containersv1.Port{{ContainerPort: 80, Protocol: "tcp"}},
			Conditions: []metav1.Condition{{
				Type: "Running", Status: metav1.ConditionTrue, Reason: "Running", LastTransitionTime: metav1.NewTime(at.Truncate(time.Second)),
			}},
		},
	}
}

func content(t *testing.T) *unstructured.Unstructured {
	t.Helper()
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(container())
	if err != nil {
		t.Fatal(err)
	}
	result := &unstructured.Unstructured{Object: object}
	result.SetGroupVersionKind(containersv1.KindContainer.GroupVersionKind())
	return result
}

// Each change that makes a valid object invalid is reported.
func TestComplaintsFindInvalidObjects(t *testing.T) {
	server := New(t)
	server.Check(t, container())
	for name, spoil := range map[string]func(obj, status map[string]any){
		"a state":       func(_, status map[string]any) { status["status"] = "flying" },
		"a spec":        func(obj, _ map[string]any) { obj["spec"] = map[string]any{"state": "flying"} },
		"a name":        func(obj, _ map[string]any) { obj["metadata"].(map[string]any)["name"] = "My_Name" },
		"a time":        func(_, status map[string]any) { status["createdAt"] = "yesterday" },
		"a number":      func(_, status map[string]any) { status["exitCode"] = int64(1) << 40 },
		"a type":        func(_, status map[string]any) { status["args"] = "x" },
		"a missing key": func(_, status map[string]any) { status["ports"] = []any{map[string]any{"protocol": "tcp"}} },
		"a key twice": func(_, status map[string]any) {
			conditions := status["conditions"].([]any)
			status["conditions"] = append(conditions, conditions[0])
		},
	} {
		obj := content(t)
		spoil(obj.Object, obj.Object["status"].(map[string]any))
		if complaints := server.Complaints(obj); len(complaints) == 0 {
			t.Errorf("Complaints accepts %s", name)
		}
	}
}

// An object that is served differently from its stored form is detected.
func TestServe(t *testing.T) {
	server := New(t)
	for name, change := range map[string]func(obj map[string]any){
		"an unknown field": func(obj map[string]any) { obj["status"].(map[string]any)["x"] = "y" },
		"a default":        func(obj map[string]any) { delete(obj, "spec") },
		"a null":           func(obj map[string]any) { obj["status"].(map[string]any)["args"] = nil },
	} {
		obj := content(t)
		change(obj.Object)
		if reflect.DeepEqual(server.Serve(t, obj), obj.Object) {
			t.Errorf("%s is served as it is stored", name)
		}
	}
}
