package completion

import (
	_ "embed"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Shells are the shells for which there is a script.
func Shells() []string { return []string{"bash", "zsh", "fish"} }

//go:embed words.bash
var bashWords string

// WriteScript writes the script that lets a shell complete a program.
func WriteScript(out io.Writer, shell, program string) error {
	command := &cobra.Command{Use: program}
	switch shell {
	case "bash":
		if err := command.GenBashCompletionV2(out, true); err != nil {
			return err
		}
		_, err := io.WriteString(out, bashWords)
		return err
	case "zsh":
		return command.GenZshCompletion(out)
	case "fish":
		return command.GenFishCompletion(out, true)
	}
	return fmt.Errorf("there is no completion for shell %q: use bash, zsh or fish", shell)
}
