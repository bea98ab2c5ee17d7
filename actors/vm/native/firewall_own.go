package native

import (
	"slices"
	"strings"
)

// removalScript returns the input for iptables-restore --noflush that deletes the
// rules which dockerd made for own networks. It returns "" when there are none.
func removalScript(sets []ruleset, own []network) string {
	return deleteScript(sets, func(rule string) bool {
		return slices.ContainsFunc(own, func(n network) bool { return isRuleOf(rule, n) })
	})
}

// isRuleOf reports whether dockerd made a rule for a network. In Docker's chains
// this is any rule that references the network, except in DOCKER-USER, which has
// the user's rules. In chains that all programs share, a user's rule may reference
// the same network, so that a rule must have exactly one of dockerd's forms.
func isRuleOf(rule string, n network) bool {
	chain, match, _ := strings.Cut(rule, " ")
	switch {
	case chain == "DOCKER-USER":
		return false
	case isDockerChain(chain):
		return referencesNetwork(rule, []network{n})
	case chain == "FORWARD":
		return slices.Contains(forwardRules(n.Bridge), match)
	case chain == "POSTROUTING":
		return isMasquerade(match, n)
	default:
		return false
	}
}

// forwardRules returns the rules of dockerd in the chain FORWARD, as iptables-save
// prints them.
func forwardRules(bridge string) []string {
	return []string{
		"-o " + bridge + " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"-o " + bridge + " -j DOCKER",
		"-i " + bridge + " ! -o " + bridge + " -j ACCEPT",
		"-i " + bridge + " ! -o " + bridge + " -j DROP",
		"-i " + bridge + " -o " + bridge + " -j ACCEPT",
		"-i " + bridge + " -o " + bridge + " -j DROP",
	}
}

// isMasquerade reports whether dockerd made a rule of the chain POSTROUTING. It
// makes rules for packets that leave a network, for packets from the host to it,
// and for a container that connects to its own published port.
func isMasquerade(match string, n network) bool {
	head, target, ok := strings.Cut(match, " -j ")
	if !ok || target != "MASQUERADE" && !strings.HasPrefix(target, "SNAT --to-source ") {
		return false
	}
	words := strings.Fields(head)
	switch {
	case head == "-o "+n.Bridge+" -m addrtype --src-type LOCAL":
		return true
	case len(words) == 5 && words[0] == "-s" && head == "-s "+words[1]+" ! -o "+n.Bridge:
		return inSubnets(words[1], n.Subnets) || len(n.Subnets) == 0
	case len(words) == 10 && words[0] == "-s" && words[2] == "-d" && words[4] == "-p" && words[6] == "-m" && words[8] == "--dport":
		return words[1] == words[3] && words[5] == words[7] && inSubnets(words[1], n.Subnets)
	default:
		return false
	}
}
