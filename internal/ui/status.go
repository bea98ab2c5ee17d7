package ui

import (
	"encoding/json"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// statusOf returns a failure in the form of the API, so that a page handles all errors in
// one way.
func statusOf(code int, reason, message string) metav1.Status {
	return metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Code: int32(code), Reason: metav1.StatusReason(reason), Message: message,
	}
}

// refuse answers with a failure.
func refuse(w http.ResponseWriter, code int, reason, message string) {
	respond(w, code, statusOf(code, reason, message))
}

// respond answers with JSON.
func respond(w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(value) // the client may have left
}
