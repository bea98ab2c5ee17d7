package messages

import containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"

// RequestChanged reports to the actor of a request what its resource is now.
type RequestChanged struct {
	// Object must not be changed: it is the informer's own copy.
	Object containersv1.Request
}

// EngineAvailable reports to the actor of a request that an engine was connected. A request
// that waits for one asks for it.
type EngineAvailable struct{}

func (RequestChanged) toRequest()  {}
func (EngineAvailable) toRequest() {}
func (EngineOpened) toRequest()    {}
func (ChildFailed) toRequests()    {}
