package request

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

// answerTimeout is how long the engine supervisor may take to answer.
const answerTimeout = 5 * time.Second

// open asks the engine supervisor for the engine.
func (r *request) open(c actor.Context) {
	r.asked++
	r.isAsking = true
	c.Request(r.Engine, messages.OpenEngine{})
	r.tasks.After(answerTimeout, askDue{r.asked})
}

// opened handles the answer of the engine supervisor.
func (r *request) opened(msg messages.EngineOpened) {
	if !r.isAsking {
		return // it came late, and may be of a former engine
	}
	r.isAsking = false
	if msg.Engine == nil {
		r.engineMissing(msg.Err.Error())
		return
	}
	r.engine, r.home = msg.Engine, msg.Namespace
}

// engineMissing has the request wait for an engine. It asks again after a pause, and at
// once when the App reports that an engine was connected.
func (r *request) engineMissing(why string) {
	r.engine = nil
	if r.view.desired == nil {
		return
	}
	waiting(r.view.desired.CommonStatus(), containersv1.ReasonWaitingForEngine, why)
	r.engineRetry.later(r.tasks)
}

// unanswered handles the end of the time for the answer: the engine supervisor was
// restarted.
func (r *request) unanswered(due askDue) {
	if r.isAsking && due.asked == r.asked {
		r.isAsking = false
		r.engineMissing("rdd restarts its connection to the container engine")
	}
}
