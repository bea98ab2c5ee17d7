package native

import (
	"net/netip"
	"slices"
	"strings"
)

// dockerd assumes that it is the only one on the machine. At each start it empties
// the chains DOCKER, DOCKER-ISOLATION-STAGE-1 and -2 (later versions some more).
// This removes the rules of every other dockerd: its published ports stop working, and
// its networks are no longer isolated. When dockerd stops, it leaves its rules behind.
// So the driver restores the rules of others after each start, and removes its own
// rules after each stop.
//
// Another dockerd may remove a rule between the reading before a start and the
// repair after it. The driver then restores an obsolete rule, which names the
// address of a removed container. The next start of that dockerd removes it.

// ruleset is the output of iptables-save for one table.
type ruleset struct {
	table string
	// policies of the built-in chains; other chains have "-".
	policies map[string]string
	// rules in order, each without its leading "-A ". An example is
	// "DOCKER -i docker0 -j RETURN".
	rules []string
}

// parseRules reads the output of iptables-save. It skips unknown lines, and joins
// the parts of a table that occurs twice.
func parseRules(text string) []ruleset {
	var sets []ruleset
	at := -1
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "*"); ok {
			at = slices.IndexFunc(sets, func(set ruleset) bool { return set.table == name })
			if at < 0 {
				at = len(sets)
				sets = append(sets, ruleset{table: name, policies: map[string]string{}})
			}
		}
		if at < 0 {
			continue
		}
		set := &sets[at]
		if rule, ok := strings.CutPrefix(line, "-A "); ok {
			set.rules = append(set.rules, rule)
		}
		if chain, ok := strings.CutPrefix(line, ":"); ok {
			if fields := strings.Fields(chain); len(fields) >= 2 {
				set.policies[fields[0]] = fields[1]
			}
		}
	}
	return sets
}

// chainOf returns the chain of a rule.
func chainOf(rule string) string {
	chain, _, _ := strings.Cut(rule, " ")
	return chain
}

// isDockerChain reports whether a chain is one that all dockerds share.
func isDockerChain(chain string) bool {
	return chain == "DOCKER" || strings.HasPrefix(chain, "DOCKER-")
}

// referencesNetwork reports whether a rule names one of the networks: its bridge,
// one of its subnets, or an address in it.
func referencesNetwork(rule string, own []network) bool {
	for word := range strings.FieldsSeq(rule) {
		for _, n := range own {
			if word == n.Bridge || inSubnets(word, n.Subnets) {
				return true
			}
		}
	}
	return false
}

// inSubnets reports whether word is an address in one of the subnets. The address
// may have a port or a prefix length.
func inSubnets(word string, subnets []string) bool {
	addr, err := netip.ParseAddr(word)
	if err != nil {
		if port, portErr := netip.ParseAddrPort(word); portErr == nil {
			addr = port.Addr()
		} else if prefix, prefixErr := netip.ParsePrefix(word); prefixErr == nil {
			addr = prefix.Addr()
		} else {
			return false
		}
	}
	return slices.ContainsFunc(subnets, func(s string) bool {
		prefix, err := netip.ParsePrefix(s)
		return err == nil && prefix.Contains(addr)
	})
}

// restoreScript returns the input for iptables-restore --noflush that restores the
// missing rules of Docker's chains: those that are in before and not in after, and
// do not reference own networks. It returns "" when no rule is missing. The rules
// go to the front of their chains, in the old order, since dockerd's own rules end
// with a RETURN.
func restoreScript(before, after []ruleset, own []network) string {
	var b strings.Builder
	for _, former := range before {
		current := findTable(after, former.table)
		present := map[string]int{}
		for _, rule := range current.rules {
			present[rule]++
		}
		var missing []string
		for _, rule := range former.rules {
			if present[rule] > 0 {
				present[rule]--
				continue
			}
			if isDockerChain(chainOf(rule)) && !referencesNetwork(rule, own) {
				missing = append(missing, rule)
			}
		}
		if len(missing) == 0 {
			continue
		}
		b.WriteString("*" + former.table + "\n")
		for _, chain := range chainsNamed(missing) {
			if _, ok := current.policies[chain]; !ok {
				b.WriteString(":" + chain + " - [0:0]\n")
			}
		}
		for _, rule := range slices.Backward(missing) {
			chain, match, _ := strings.Cut(rule, " ")
			b.WriteString("-I " + chain + " 1 " + match + "\n")
		}
		b.WriteString("COMMIT\n")
	}
	return b.String()
}

// chainsNamed returns the chains of rules, and Docker's chains that they jump to.
func chainsNamed(rules []string) []string {
	var chains []string
	for _, rule := range rules {
		fields := strings.Fields(rule)
		for _, chain := range []string{fields[0], fields[len(fields)-1]} {
			if isDockerChain(chain) && !slices.Contains(chains, chain) {
				chains = append(chains, chain)
			}
		}
	}
	return chains
}

func findTable(sets []ruleset, table string) ruleset {
	for _, set := range sets {
		if set.table == table {
			return set
		}
	}
	return ruleset{table: table}
}

// teardownScript returns the input for iptables-restore --noflush that removes all
// of Docker's chains, and the jumps to them. It is for a machine without a running
// dockerd. Tables with the user's rules in DOCKER-USER stay as they are.
func teardownScript(sets []ruleset) string {
	var b strings.Builder
	for _, set := range sets {
		var chains, jumps []string
		hasUserRules := false
		for chain, policy := range set.policies {
			if policy == "-" && isDockerChain(chain) {
				chains = append(chains, chain)
			}
		}
		slices.Sort(chains)
		for _, rule := range set.rules {
			fields := strings.Fields(rule)
			if fields[0] == "DOCKER-USER" && rule != "DOCKER-USER -j RETURN" {
				hasUserRules = true
			}
			if !isDockerChain(fields[0]) && isDockerChain(fields[len(fields)-1]) {
				jumps = append(jumps, rule)
			}
		}
		if hasUserRules || len(chains) == 0 {
			continue
		}
		b.WriteString("*" + set.table + "\n")
		for _, rule := range jumps {
			b.WriteString("-D " + rule + "\n")
		}
		for _, chain := range chains {
			b.WriteString("-F " + chain + "\n")
		}
		for _, chain := range chains {
			b.WriteString("-X " + chain + "\n")
		}
		b.WriteString("COMMIT\n")
	}
	return b.String()
}

// deleteScript returns the input for iptables-restore --noflush that deletes the
// rules for which match returns true.
func deleteScript(sets []ruleset, match func(string) bool) string {
	var b strings.Builder
	for _, set := range sets {
		var lines strings.Builder
		for _, rule := range set.rules {
			if match(rule) {
				lines.WriteString("-D " + rule + "\n")
			}
		}
		if lines.String() != "" {
			b.WriteString("*" + set.table + "\n" + lines.String() + "COMMIT\n")
		}
	}
	return b.String()
}
