// Package policies has the admission policies of rdd's own API server, as files. A hub
// derives some of its policies from them, see internal/hub/install.
package policies
