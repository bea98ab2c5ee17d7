// Package crds carries the generated CustomResourceDefinitions of a hub inside the
// binary. Those that a hub shares with the daemon's own API server are in api/crds.
package crds

import "embed"

// FS holds one YAML file per CustomResourceDefinition.
//
//go:embed *.yaml
var FS embed.FS
