// Command words keeps the language of this code base plain. It counts the words
// that have a standard replacement, and the commit subjects that are too long,
// and fails when there are more of one than budget.txt allows.
//
// The budget of a word only falls: 'words -lower' writes the counts that have
// fallen. It needs no history, so that a shallow clone gives the same answer.
//
// Reading map:
//
//	main.go    the command
//	rules.go   the words, and what to say instead
//	count.go   where they occur in the tree and in commit subjects
//	budget.go  how often they may occur
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

// placesShown limits the list of occurrences for each word.
const placesShown = 40

func main() {
	root := flag.String("C", ".", "the root of the tree")
	file := flag.String("budget", "internal/tools/words/budget.txt", "the number of occurrences allowed for each word")
	lower := flag.Bool("lower", false, "write the counts that have fallen to the budget")
	flag.Parse()
	ok, err := run(*root, *file, *lower, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run reports whether every count is within its budget.
func run(root, file string, lower bool, out io.Writer) (bool, error) {
	s := newSearch()
	if err := s.tree(root); err != nil {
		return false, err
	}
	allowed, err := readBudget(file)
	if err != nil {
		return false, err
	}
	ok := true
	for _, r := range s.rules {
		places, most := s.found[r.name], allowed[r.name]
		switch {
		case len(places) > most:
			ok = false
			fmt.Fprintf(out, "%q occurs %d times, and %d are allowed: %s\n", r.name, len(places), most, r.instead)
			for _, place := range places[:min(len(places), placesShown)] {
				fmt.Fprintf(out, "  %s\n", place)
			}
		case len(places) < most && !r.history:
			fmt.Fprintf(out, "%q occurs %d times, and %d are allowed: 'make words' lowers that\n", r.name, len(places), most)
			allowed[r.name] = len(places)
		}
	}
	if !lower {
		return ok, nil
	}
	return ok, writeBudget(file, allowed)
}
