// Package v1alpha1 has the mirrors: resources that each mirror one object of the
// container engine. It also has the requests: resources that ask for work of the engine,
// such as the creation of a container, which is carried out once.
//
// Reading map: kinds.go has the table of kinds, mirror.go what all of them have in
// common, names.go the names of resources, conditions and the finalizer, managed.go
// the managed fields, labels.go the labels of the engine's objects, register.go the
// scheme. Each kind has a file of its own: container.go, containernamespace.go, image.go,
// network.go, volume.go; container_parts.go has parts of a container, action.go the
// actions on one. events.go has the reasons of events.
//
// requestkinds.go has the table of the kinds of requests, request.go what all of them
// have in common. Each kind has a file of its own: containercreaterequest.go, with
// requestedparts.go, networkcreaterequest.go, volumecreaterequest.go,
// imagepullrequest.go, imagepushrequest.go, imagetagrequest.go, prunerequest.go.
//
// +kubebuilder:object:generate=true
// +groupName=containers.rancherdesktop.io
package v1alpha1
