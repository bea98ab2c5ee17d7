// Package install has the objects that turn a Kubernetes API server into a hub: an API in
// which many machines mirror their container engines, each in a namespace of its own. It
// applies them, which also updates a hub of an earlier version, and prints them for those
// who apply them by other means.
//
// Reading map: objects.go lists the objects, with definitions.go, roles.go, controller.go,
// policies.go and flows.go; the hub's own admission policies are in the directory policies.
// apply.go applies and print.go prints them. users.go keeps the users of the machines in them.
// version.go refuses to replace objects of a newer version. connect.go connects to an API
// server, and checks that it can be a hub.
package install
