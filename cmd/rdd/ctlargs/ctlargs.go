// Package ctlargs finds, in a command line of kubectl, the arguments that name rdd's
// resources. The names of these resources are IDs of 64 digits; 'rdd ctl' also accepts what
// people call the objects, and replaces it before kubectl runs.
package ctlargs

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

// Reference is an argument that names an object, as TYPE/NAME or as NAME after a TYPE.
type Reference struct {
	// Arg is the index of the argument.
	Arg int
	// Kind of the resource.
	Kind containersv1.Kind
	// Type is the part before the name, such as "container/"; it may be empty.
	Type string
	// Name is what the user calls the object.
	Name string
}

// References returns the arguments of a command of kubectl that name mirrors. command must
// have parsed the arguments that follow its name in args. It returns none for a command
// that does not read or change single resources.
func References(command *cobra.Command, args []string) []Reference {
	if command.Parent() == nil || command.Parent().HasParent() || !takesNames(command.Name()) {
		return nil
	}
	const words = 1 // the name of the command is the first word
	at := positions(command.Flags(), args)
	if len(at) < words {
		return nil
	}
	at = at[words:]
	parsed := command.Flags().Args()
	if len(parsed) != len(at) || !slices.EqualFunc(at, parsed, func(i int, arg string) bool { return args[i] == arg }) {
		return nil // kubectl will understand this line in another way
	}
	if command.Name() == "annotate" || command.Name() == "label" {
		if pair := slices.IndexFunc(parsed, isPair); pair >= 0 {
			at = at[:pair]
		}
	}
	return references(args, at)
}

func takesNames(command string) bool {
	return slices.Contains([]string{"annotate", "delete", "describe", "edit", "get", "label", "patch", "wait"}, command)
}

// isPair reports whether an argument of annotate or label is KEY=VALUE or KEY-.
func isPair(arg string) bool {
	return strings.Index(arg, "=") > 0 || strings.HasSuffix(arg, "-") && arg != "-"
}

// references returns the references among the arguments at some indexes.
func references(args []string, at []int) []Reference {
	var found []Reference
	if len(at) == 0 {
		return nil
	}
	if !strings.Contains(args[at[0]], "/") {
		kind := KindOf(args[at[0]])
		for _, i := range at[1:] {
			if kind != "" && args[i] != "" {
				found = append(found, Reference{Arg: i, Kind: kind, Name: args[i]})
			}
		}
		return found
	}
	for _, i := range at {
		resource, name, _ := strings.Cut(args[i], "/")
		if kind := KindOf(resource); kind != "" && name != "" {
			found = append(found, Reference{Arg: i, Kind: kind, Type: resource + "/", Name: name})
		}
	}
	return found
}

// KindOf returns the mirrored kind that a type of a command line names, such as ctr,
// Containers or containers.v1alpha1.containers.rancherdesktop.io; empty for others.
func KindOf(text string) containersv1.Kind {
	word, group, qualified := strings.Cut(strings.ToLower(text), ".")
	version := containersv1.GroupVersion
	if qualified && group != version.Group && group != version.Version+"."+version.Group {
		return ""
	}
	for kind, short := range map[containersv1.Kind]string{
		containersv1.KindContainer: "ctr", containersv1.KindImage: "img",
		containersv1.KindVolume: "vol", containersv1.KindNetwork: "cnet",
	} {
		singular := strings.ToLower(string(kind))
		if word == singular || word == singular+"s" || word == short && !qualified {
			return kind
		}
	}
	return ""
}

// positions returns the indexes of the arguments that are neither flags nor their values.
func positions(flags *pflag.FlagSet, args []string) []int {
	var at []int
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			for i++; i < len(args); i++ {
				at = append(at, i)
			}
		case strings.HasPrefix(arg, "--"):
			name, _, hasValue := strings.Cut(arg[2:], "=")
			if flag := flags.Lookup(name); flag != nil && !hasValue && flag.NoOptDefVal == "" {
				i++
			}
		case len(arg) > 1 && arg[0] == '-':
			if valueFollows(flags, arg[1:]) {
				i++
			}
		default:
			at = append(at, i)
		}
	}
	return at
}

// valueFollows reports whether the next argument is the value of the last one of some
// flags of one letter.
func valueFollows(flags *pflag.FlagSet, letters string) bool {
	for i := range len(letters) {
		flag := flags.ShorthandLookup(letters[i : i+1])
		if flag == nil {
			return false
		}
		if flag.NoOptDefVal == "" {
			return i == len(letters)-1
		}
		if i+1 < len(letters) && letters[i+1] == '=' {
			return false
		}
	}
	return false
}
