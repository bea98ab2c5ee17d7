// Package docker implements the interface of package engine for the Docker Engine. No
// other product package changes objects of a Docker Engine; some read its JSON through
// HTTP.
//
// It returns the resources that mirror the engine, so that neither the Docker client's
// types nor the differences between engine versions reach the actors.
// github.com/moby/moby/client negotiates the version and builds the requests; this
// package decodes the answers itself, for the reasons in transport.go.
//
// Reading map:
//
//	engine.go        the engine
//	watch.go         one watch of the engine, in one goroutine
//	sync.go          the full sync
//	changes.go       what is read after an event
//	refresh.go       an object that is being read
//	recheck.go       what is read without an event
//	health.go        what is read after health probes
//	listing.go       lists beside a full sync
//	index.go         images and their tags
//	tags.go          tags that move
//	kinds.go         the table of kinds
//	api.go           the part of the Docker Engine API that rdd uses
//	endpoint.go      addresses
//	transport.go     the transport below the client
//	paced.go         answers of many pieces, in few reads
//	blocking.go      connections outside of Go's poller
//	client.go        the client
//	read.go          lists and inspections
//	command.go       commands
//	stop.go          the stop of a container
//	restart.go       the restart of a container
//	create.go        objects for requests
//	create_api.go    the calls that create them
//	create_spec.go   maps the container of a request
//	image_remove.go  the removal of an image
//	stream.go        what all streams of containers have in common
//	demux.go         separates the two streams of an output
//	log.go           logs
//	terminal.go      exec and attach
//	stats.go         stats
//	transfer.go      pull, push and tag of an image
//	progress.go      the progress of a pull or a push
//	prune.go         the removal of what is unused
//	usage.go         what images, volumes and the build cache use
//	events.go        the event streams
//	errors.go        errors of the engine
//	filter.go        objects that are not mirrored
//	container.go     maps a container
//	ports.go         maps its ports
//	details.go       maps its health, mounts and networks
//	image.go         maps an image
//	volume.go        maps a volume
//	network.go       maps a network
//	values.go        maps values
package docker
