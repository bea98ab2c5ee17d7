package completion

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/posener/complete"
	"github.com/willabides/kongplete"
)

// Tag is the tag of flags and arguments that names their predictor.
const Tag = "predictor"

// Predictor returns the values of a flag or an argument, and what the shell does with
// them. prefix is what the user has typed; values without it are ignored.
type Predictor func(prefix string) ([]string, Directive)

// Completer completes the command lines of a parser.
type Completer struct {
	Parser *kong.Kong
	// Predictors by name.
	Predictors map[string]Predictor
	// Describe returns the description of a value that is no command and no flag, or an
	// empty text; nil for none.
	Describe func(value string) string
}

// Complete returns the completions of the last word of a line.
func (c Completer) Complete(line Line) (Candidates, error) {
	found := Candidates{Directive: NoFiles}
	line.Words = c.withoutGlobalFlags(line.Words)
	last := len(line.Words) - 1
	node := c.resolve(line.Words[:last])
	var options []kongplete.Option
	for name, predict := range c.Predictors {
		options = append(options, kongplete.WithPredictor(name, complete.PredictFunc(func(complete.Args) []string {
			values, directive := predict(line.Last())
			found.Directive = directive
			return values
		})))
	}
	command, err := kongplete.Command(c.Parser, options...)
	if err != nil {
		return Candidates{}, fmt.Errorf("read the commands for the completion: %w", err)
	}
	args := complete.Args{All: line.Words, Completed: line.Words[:last], Last: line.Last()}
	if last > 0 {
		args.LastCompleted = line.Words[last-1]
	}
	found.Values = matching(command.Predict(args), line.Last())
	found.describe = func(value string) string { return c.describe(node, value) }
	return found, nil
}

// withoutGlobalFlags removes the flags of the program, with their values, before the word
// to complete. They can be anywhere, and kongplete takes those after a command for its
// arguments.
func (c Completer) withoutGlobalFlags(words []string) []string {
	var kept []string
	for i := 0; i < len(words); i++ {
		hasValue := slices.ContainsFunc(c.Parser.Model.Flags, func(flag *kong.Flag) bool {
			return words[i] == "--"+flag.Name && !flag.IsBool()
		})
		if hasValue && i+2 < len(words) {
			i++
			continue
		}
		kept = append(kept, words[i])
	}
	return kept
}

// resolve returns the command to which the words lead. It replaces other names of
// commands in words by their main names.
func (c Completer) resolve(words []string) *kong.Node {
	node := c.Parser.Model.Node
	for i, word := range words {
		for _, child := range node.Children {
			if child.Name == word || slices.Contains(child.Aliases, word) {
				words[i], node = child.Name, child
				break
			}
		}
	}
	return node
}

// describe returns the help of a command or a flag.
func (c Completer) describe(node *kong.Node, value string) string {
	for _, child := range node.Children {
		if child.Name == value {
			return firstSentence(child.Help)
		}
	}
	for _, flags := range node.AllFlags(true) {
		for _, flag := range flags {
			if value == "--"+flag.Name {
				return firstSentence(flag.Help)
			}
		}
	}
	if c.Describe == nil {
		return ""
	}
	return firstSentence(c.Describe(value))
}

// firstSentence returns the first sentence of a text, without its period.
func firstSentence(text string) string {
	sentence, _, _ := strings.Cut(text, ". ")
	return strings.TrimSuffix(sentence, ".")
}
