// Package kubemerge adds the API of an instance to the user's kubeconfig, so that
// kubectl and other clients find it without a variable, and removes it again.
//
// It treats the files as 'kubectl config' does: KUBECONFIG can list several, the first
// one that has an entry counts, and a lock file beside each excludes other writers.
// Unlike kubectl, it replaces files atomically.
//
// Reading map: entry.go has what is added and how it is recognized, files.go finds, locks
// and writes the files, and merge.go changes them.
package kubemerge
