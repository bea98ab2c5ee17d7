package main

import "regexp"

// rule is a word that is not to be used.
type rule struct {
	name    string
	pattern *regexp.Regexp
	// instead is the standard way to say it.
	instead string
	// history is set for what is counted in commits. A shallow clone has fewer
	// of them, so that the budget stays.
	history bool
}

// subjects is the name of the rule for commit subjects.
const subjects = "long commit subject"

// rules returns all rules. A pattern applies to text in lower case in which the
// parts of identifiers are separate words.
func rules() []rule {
	return []rule{
		word("wish", `wish\w*`, "say desired state, spec or request"),
		word("tell", `tell|tells|telling|teller|told`, "say send, publish, notify or report; of a person, say"),
		word("mend", `mend\w*`, "say fix, repair or recover"),
		word("somebody", `somebody|nobody|anybody|whoever`, "say another process, another user, the caller, no client"),
		word("cure", `cure[sd]?|curing|heal|heals|healed|healing`, "say fix, repair or recover"),
		word("try again", `(try|tries|tried|trying) again`, "say retry or back off"),
		word("put right", `(put|puts|putting) right|(make|makes|made|making) equal`, "say reconcile or sync"),
		word("take away", `(take|takes|taking|took|taken) away`, "say remove or release"),
		word("asked for", `asked for`, "say desired state, spec or request"),
		word("go on", `(go|goes|going|went|gone) on`, "say continue or keep running"),
		word("live on", `(live|lives|living|lived) on`, "say keep running or remain"),
		word("anew", `anew`, "say again, restart or recreate"),
		word("look again", `look(s|ed|ing)? again`, "say retry or check again"),
		word("heard", `heard|hears`, "say synced, received or notified"),
		word("find back", `(find|finds|found) back`, "say adopt or take over"),
		word("take up again", `(take|takes|took|taken) up again`, "say retry or resume"),
		word("revive", `reviv\w*|respawn\w*`, "say restart or recreate"),
		word("rob", `robbed|rob|robs`, "say lose a tag"),
		{name: "lose()", pattern: regexp.MustCompile(`(func|\)) lose\b|\blose\(`), instead: "name the function release"},
		{name: subjects, instead: "72 characters are the limit", history: true},
	}
}

func word(name, pattern, instead string) rule {
	return rule{name: name, pattern: regexp.MustCompile(`\b(` + pattern + `)\b`), instead: instead}
}
