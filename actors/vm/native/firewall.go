package native

import (
	"net/netip"
	"slices"
	"strings"
)

// dockerd takes the firewall for its own. When one starts it empties the chains
// DOCKER, DOCKER-ISOLATION-STAGE-1 and -2 (and later versions some more), and
// with them the rules of every other dockerd on the machine: published ports
// are no longer forwarded to, networks no longer isolated from each other. When
// it stops it leaves all of its own rules behind. So the driver puts back what
// was there before and is not its own after each start, and takes its own rules
// away after each stop.
//
// A rule that another dockerd takes away in the second between the look
// before the start and the repair after it is put back wrongly; it then names
// the address of a container that is gone, and goes with the next start of that
// dockerd.

// ruleset is what one iptables-save prints for one table.
type ruleset struct {
	table string
	// policies of the built-in chains; "-" for other chains.
	policies map[string]string
	// rules in order, each without its leading "-A ", such as
	// "DOCKER -i docker0 -j RETURN".
	rules []string
}

// parseRules reads the output of iptables-save. Unknown lines are skipped. A table
// that comes twice is one.
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

// chainOf is the chain of a rule.
func chainOf(rule string) string {
	chain, _, _ := strings.Cut(rule, " ")
	return chain
}

// isDockerChain is whether a chain is one that every dockerd takes for its own.
func isDockerChain(chain string) bool {
	return chain == "DOCKER" || strings.HasPrefix(chain, "DOCKER-")
}

// concerns is whether a rule names one of the networks: its bridge, one of its
// subnets, or an address in it.
func concerns(rule string, own []network) bool {
	for word := range strings.FieldsSeq(rule) {
		for _, n := range own {
			if word == n.Bridge || inSubnets(word, n.Subnets) {
				return true
			}
		}
	}
	return false
}

// inSubnets is whether word is an address (with a port or a prefix length,
// perhaps) in one of the subnets.
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

// repair is the input for iptables-restore --noflush that puts back those rules
// of Docker's chains that were there before, are not there after, and do not
// concern own. It is empty when nothing is missing. Rules go to the front of
// their chains, in their old order: what dockerd itself puts there ends in a
// RETURN.
func repair(before, after []ruleset, own []network) string {
	var b strings.Builder
	for _, was := range before {
		is := find(after, was.table)
		present := map[string]int{}
		for _, rule := range is.rules {
			present[rule]++
		}
		var missing []string
		for _, rule := range was.rules {
			if present[rule] > 0 {
				present[rule]--
				continue
			}
			if isDockerChain(chainOf(rule)) && !concerns(rule, own) {
				missing = append(missing, rule)
			}
		}
		if len(missing) == 0 {
			continue
		}
		b.WriteString("*" + was.table + "\n")
		for _, chain := range chainsNamed(missing) {
			if _, ok := is.policies[chain]; !ok {
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

// chainsNamed are the chains of rules and Docker's chains that they jump to.
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

func find(sets []ruleset, table string) ruleset {
	for _, set := range sets {
		if set.table == table {
			return set
		}
	}
	return ruleset{table: table}
}

// teardown is the input for iptables-restore --noflush that removes Docker's
// chains altogether, with the jumps to them. It is for a machine on which no
// dockerd runs any more. A table whose DOCKER-USER chain has rules of the user
// is left alone.
func teardown(sets []ruleset) string {
	var b strings.Builder
	for _, set := range sets {
		var chains, jumps []string
		mine := true
		for chain, policy := range set.policies {
			if policy == "-" && isDockerChain(chain) {
				chains = append(chains, chain)
			}
		}
		slices.Sort(chains)
		for _, rule := range set.rules {
			fields := strings.Fields(rule)
			if fields[0] == "DOCKER-USER" && rule != "DOCKER-USER -j RETURN" {
				mine = false
			}
			if !isDockerChain(fields[0]) && isDockerChain(fields[len(fields)-1]) {
				jumps = append(jumps, rule)
			}
		}
		if !mine || len(chains) == 0 {
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

// script deletes the rules for which match is true.
func script(sets []ruleset, match func(string) bool) string {
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
