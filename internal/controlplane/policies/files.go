package policies

import "embed"

// Files are the policies of what only the daemon may do, one in each file with its
// binding. Their messages name the alternatives.
//
//go:embed *.yaml
var Files embed.FS
