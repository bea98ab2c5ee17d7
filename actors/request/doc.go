// Package request has the actors that carry out requests: resources that ask for work of
// the engine, such as the creation of a container. One supervisor has one actor for each
// request. The actor is the only writer of the request's status.
//
// A request is carried out exactly once, even if the daemon or the engine is killed. The
// object of the engine has a label with the UID of the request, and the work of a
// request begins with a search for it. Its name, which the engine accepts once, belongs
// to the request, too. Work that has two parts, such as the creation and the start of a
// container, records the first part in the status before it begins the second.
//
// Reading map: supervisor.go follows the requests and holds their actors, config.go has
// the parts of both. decide.go says what an actor does next, actor.go does it,
// engine.go gets the engine, operations.go calls the API server, status.go composes the
// status, done.go remembers requests that were carried out, events.go records events. work.go has the table of what each kind of request
// does: container.go, network.go, volume.go, transfer.go for images, prune.go.
package request
