// Command picture runs commands in a pseudo-terminal and writes a recording of the
// terminal as an animated SVG. It reads one command a line from standard input:
//
//	picture -o FILE <COMMANDS
//
// The output and its times are those of the real run. Only the typing of the commands
// and the pause after each of them are made up. 'make picture' makes the picture of
// the README with it.
//
// Reading map:
//
//	main.go    the command
//	record.go  runs commands, and takes frames of the terminal
//	svg.go     renders frames
//	record.sh  prepares an instance of rdd, and names the commands of the README's picture
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

func main() {
	file := flag.String("o", "picture.svg", "the SVG to write")
	columns := flag.Int("columns", 80, "the width of the terminal, in characters")
	rows := flag.Int("rows", 24, "the height of the terminal, in lines")
	title := flag.String("title", "A recording of a terminal", "the description of the picture, for people who cannot see it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdin, *columns, *rows, *title, *file); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

// run records the commands of a reader and writes the picture to a file.
func run(ctx context.Context, commands io.Reader, columns, rows int, title, file string) error {
	r := newRecorder(columns, rows)
	lines := bufio.NewScanner(commands)
	for lines.Scan() {
		command := strings.TrimSpace(lines.Text())
		if command == "" {
			continue
		}
		if err := r.run(ctx, command); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the commands: %w", err)
	}
	if err := os.WriteFile(file, render(r.film(), title), 0o644); err != nil {
		return fmt.Errorf("write the picture: %w", err)
	}
	return nil
}
