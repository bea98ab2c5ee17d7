package hub

import (
	"math/rand/v2"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/go-logr/logr"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/klog/v2"
)

// jitterRand draws the jitter of all pauses of the Kubernetes client libraries.
//
//go:linkname jitterRand k8s.io/apimachinery/pkg/util/wait.jitterRand
var jitterRand func() float64 //nolint:gochecknoglobals // it is that of the library

// MakeRepeatable makes the client libraries repeatable on virtual time: it draws their jitter
// from the clock, as package async does, and removes the pause after an error, which depends
// on the errors of other goroutines of the process. It also silences them. It changes the
// whole process, so TestMain calls it, before any goroutine of the libraries, and not for
// tests with a real API server.
func MakeRepeatable() {
	jitterRand = func() float64 {
		return rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)).Float64()
	}
	utilruntime.ErrorHandlers = nil //nolint:reassign // meant to be set by its users
	klog.SetLogger(logr.Discard())
}
