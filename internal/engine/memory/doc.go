// Package memory is a Docker Engine in memory: one model of images, containers,
// volumes and networks, with the refusals and the events of dockerd 20.10 (API 1.41).
//
// Its processes are scripts of a few commands (shell.go). Any other container runs until
// a command, or a call of Die, ends it. It knows neither HTTP nor faults. It reads the
// clock with time.Now, so it follows the virtual time of testing/synctest. Package
// dockersim serves it over HTTP, and package sim/engine puts it behind a link that
// fails. The suite of package enginetest runs on it and on dockerd.
//
// Reading map: engine.go has the engine, its clock and its life, changes.go reports
// each change to an observer. image.go, image_delete.go, container.go,
// container_ops.go, container_end.go, container_restart.go, health.go, volume.go and
// network.go have the objects and the commands on them, mirror.go the resources that
// mirror them. log.go, process.go and shell.go have logs and processes, stream.go opens
// their streams. events.go publishes events, errors.go has the classes of refusals.
// requested.go creates objects for requests, registry.go has the registries, transfer.go
// pulls and pushes, prune.go what a prune needs,
// buildcache.go the build cache. conn.go, watch.go and object.go implement the
// interface of package engine; populate.go adds many objects at once.
package memory
