// Command notices prints the licences of all modules that are linked into programs:
//
//	notices PROGRAM...
//
// The programs must have been built from the current directory's module. For each
// program, the Go tool lists the packages for the system and the tags that the program
// records, so that a module is listed only if one of its packages is linked. It fails if
// a module has no licence file, or if a program has a module that the list lacks.
//
// Reading map:
//
//	main.go     the command
//	program.go  which packages a program has
//	licence.go  which files are the licences of a package
//	write.go    the output, with each text once
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, programs []string, out io.Writer) error {
	if len(programs) == 0 {
		return errors.New("no program: name the compiled programs whose licences to print")
	}
	texts := make(licences)
	for _, program := range programs {
		linked, err := linkedPackages(ctx, program)
		if err != nil {
			return err
		}
		for _, p := range linked {
			if err := texts.add(p); err != nil {
				return err
			}
		}
	}
	w := bufio.NewWriter(out)
	if err := texts.write(w); err != nil {
		return err
	}
	return w.Flush()
}
