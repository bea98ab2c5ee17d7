package guestagent

import "embed"

//go:embed embedded/arm64
var embedded embed.FS
