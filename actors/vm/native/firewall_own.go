package native

import (
	"slices"
	"strings"
)

// removal is the input for iptables-restore --noflush that deletes the rules which
// dockerd made for own. It is empty when there are none.
func removal(sets []ruleset, own []network) string {
	return script(sets, func(rule string) bool {
		return slices.ContainsFunc(own, func(n network) bool { return madeFor(rule, n) })
	})
}

// madeFor reports whether a rule is one that dockerd makes for a network. In
// Docker's own chains it is any rule for the network; DOCKER-USER is the user's. In
// the chains that all programs share it is one of exactly the forms that dockerd
// writes: a user's rule may name the same bridge or subnet.
func madeFor(rule string, n network) bool {
	chain, match, _ := strings.Cut(rule, " ")
	switch {
	case chain == "DOCKER-USER":
		return false
	case isDockerChain(chain):
		return concerns(rule, []network{n})
	case chain == "FORWARD":
		return slices.Contains(forwardForms(n.Bridge), match)
	case chain == "POSTROUTING":
		return isMasquerade(match, n)
	default:
		return false
	}
}

// forwardForms are the rules of dockerd in the chain FORWARD, as iptables-save
// prints them.
func forwardForms(bridge string) []string {
	return []string{
		"-o " + bridge + " -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
		"-o " + bridge + " -j DOCKER",
		"-i " + bridge + " ! -o " + bridge + " -j ACCEPT",
		"-i " + bridge + " ! -o " + bridge + " -j DROP",
		"-i " + bridge + " -o " + bridge + " -j ACCEPT",
		"-i " + bridge + " -o " + bridge + " -j DROP",
	}
}

// isMasquerade reports whether a rule of the chain POSTROUTING is one of dockerd's:
// for all packets that leave a network, for those of the host to it, or for a
// container that reaches itself at a published port.
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
