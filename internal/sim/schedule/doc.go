// Package schedule runs the mailboxes of simulated actors in an order that is drawn
// from a seed, and keeps a trace of what they do.
//
// It knows no actor framework: a mailbox of a framework posts its messages here, and
// hands each one to its actor when its turn comes.
//
// Reading map: scheduler.go draws the order, mailbox.go holds the messages of one
// actor and handles them one at a time, trace.go records what happened.
package schedule
