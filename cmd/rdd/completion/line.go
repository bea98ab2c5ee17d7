package completion

import "strings"

// Line is a command line to complete, without the name of the program. The last word is
// the one to complete, and can be empty.
type Line struct {
	// Words are the words. A flag with its value, such as --output=json, is two words: the
	// scripts expect the value alone.
	Words []string
}

// Split returns a command line of which the shell has these words.
func Split(words []string) Line {
	var line Line
	for i, word := range words {
		// Several short flags, or one with its value, such as -it and -n5, need no more
		// words.
		if i < len(words)-1 && len(word) > 2 && word[0] == '-' && word[1] != '-' {
			continue
		}
		name, value, hasValue := strings.Cut(word, "=")
		if !hasValue || !strings.HasPrefix(name, "--") || name == "--" {
			line.Words = append(line.Words, word)
			continue
		}
		line.Words = append(line.Words, name, value)
	}
	if len(line.Words) == 0 {
		line.Words = []string{""}
	}
	return line
}

// Last returns the word to complete.
func (l Line) Last() string { return l.Words[len(l.Words)-1] }

// Instance returns the value of --instance before the word to complete, or "".
func (l Line) Instance() string {
	for i := range len(l.Words) - 2 {
		if l.Words[i] == "--instance" {
			return l.Words[i+1]
		}
	}
	return ""
}

// Ctl returns the arguments of kubectl, if the line is one of 'rdd ctl'. words are those
// of the shell, because kubectl splits flags itself.
func Ctl(words []string) (args []string, is bool) {
	for i := 0; i < len(words)-1; i++ {
		switch {
		case words[i] == "--instance":
			i++
		case strings.HasPrefix(words[i], "--instance="):
		default:
			return words[i+1:], words[i] == "ctl"
		}
	}
	return nil, false
}
