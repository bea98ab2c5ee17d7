//go:build !cgo

package datastore

const withCgo = false
