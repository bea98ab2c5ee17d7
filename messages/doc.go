// Package messages holds every message that crosses an actor's boundary, one
// file per conversation.
//
// Tense carries meaning: a command is imperative (EnsureVM), a fact is a
// participle (VMChanged). Every message may arrive twice or late; a fact that
// answers a command carries the generation of that command, so that a stale
// one can be told and dropped. Messages are never changed after they were sent.
package messages
