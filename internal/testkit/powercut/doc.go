// Package powercut shows what a power cut leaves of a program's files, for tests.
//
// [Mount] mounts a directory that keeps its files in memory and records every write,
// truncation, rename and sync. A [Replay] repeats the first steps of the record, and returns
// what a disk may have after a power cut at that moment: all that was synced, and any part of
// what was not. A write can be cut at each boundary of a sector, and later writes can be on
// the disk without earlier ones. A file has its name only after a sync of the directory, but
// names change in their order, as in a file system with a journal.
//
// The program must be another process than the one that mounts: a page of a mapped file that
// is read by the mounting process blocks its garbage collector.
//
// Reading map:
//
//	mount.go   the file system
//	record.go  what it records
//	replay.go  what is left after a power cut
package powercut
