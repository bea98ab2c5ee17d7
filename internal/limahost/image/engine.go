package image

import (
	_ "embed"
	"slices"
)

//go:embed guest/etc/docker/daemon.json
var engineConfig []byte

// EngineConfig returns the configuration of Docker in a built image.
func EngineConfig() []byte { return slices.Clone(engineConfig) }
