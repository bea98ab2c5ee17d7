//go:build cgo

package datastore

// withCgo: kine takes another SQLite driver, which takes other parameters. Only
// the race detector needs that; rdd is built without cgo.
const withCgo = true
