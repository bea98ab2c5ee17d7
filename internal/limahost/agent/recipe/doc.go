// Package recipe says which lima.yaml a VM is made from, for an image.
//
// It exists apart from the making because it touches nothing: what is wrong with
// an image or with a user's lima.yaml is found and said before a disk, or a
// running VM, is lost over it.
//
// A reading map: built.go writes the lima.yaml of an image that was built for
// rdd, recipe.go merges a user's with what is set in rdd, check.go validates the
// outcome, lines.go finds the line to blame.
package recipe
