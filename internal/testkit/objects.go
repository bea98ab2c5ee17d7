package testkit

import (
	"reflect"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Assign copies an object into another one, as a client does with what it has read. It
// panics when they are of different types.
func Assign(to, from client.Object) {
	reflect.ValueOf(to).Elem().Set(reflect.ValueOf(from.DeepCopyObject()).Elem())
}
