package supervisor

import cmap "github.com/orcaman/concurrent-map"

// init shrinks the registry in which an actor system finds its actors. It has 1,024 maps,
// which are enough for parallel access without the 32 shards that each has by default:
// those cost 6 MB of heap, and 65,000 allocations at the start.
func init() { //nolint:gochecknoinits // the number must never change while a system exists
	cmap.SHARD_COUNT = 1
}
