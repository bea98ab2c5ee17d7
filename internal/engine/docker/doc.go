// Package docker is the only door to the Docker Engine.
//
// Actors see the narrow interface API, in terms of the resources that
// mirror the engine, so that neither the Docker client's types nor the
// differences between engine versions reach them. Behind it stands
// github.com/moby/moby/client, which does the version negotiation, the paths
// and the errors; the answers are decoded by this package itself (see
// tap.go for the reason).
//
// Reading map: engine.go has the interface; endpoint.go, tap.go, client.go the
// connection; read.go, command.go, image_remove.go and events.go the calls; filter.go,
// container.go, ports.go, image.go, volume.go and values.go the pure mapping.
package docker
