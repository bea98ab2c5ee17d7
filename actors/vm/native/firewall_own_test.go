package native

import (
	"strings"
	"testing"
)

func TestRemovalScriptKeepsUserRules(t *testing.T) {
	tests := map[string]bool{
		"FORWARD -o rdd1 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT": true,
		"FORWARD -o rdd1 -j DOCKER":                                                                true,
		"FORWARD -i rdd1 ! -o rdd1 -j ACCEPT":                                                      true,
		"FORWARD -i rdd1 -o rdd1 -j DROP":                                                          true,
		"DOCKER -d 172.16.9.2/32 ! -i rdd1 -o rdd1 -p tcp -m tcp --dport 81 -j ACCEPT":             true,
		"DOCKER -p tcp -m tcp --dport 8081 -j DNAT --to-destination 172.16.9.2:81":                 true,
		"DOCKER-ISOLATION-STAGE-2 -o rdd1 -j DROP":                                                 true,
		"POSTROUTING -s 172.16.9.0/24 ! -o rdd1 -j MASQUERADE":                                     true,
		"POSTROUTING -s 172.16.9.0/24 ! -o rdd1 -j SNAT --to-source 10.0.0.1":                      true,
		"POSTROUTING -o rdd1 -m addrtype --src-type LOCAL -j MASQUERADE":                           true,
		"POSTROUTING -s 172.16.9.2/32 -d 172.16.9.2/32 -p tcp -m tcp --dport 81 -j MASQUERADE":     true,
		"INPUT -s 172.16.9.0/24 -p tcp -m tcp --dport 5432 -j ACCEPT":                              false,
		"INPUT -i rdd1 -j DROP":                                                                    false,
		"OUTPUT -d 172.16.9.0/24 -j ACCEPT":                                                        false,
		"DOCKER-USER -s 172.16.9.0/24 -d 10.0.0.0/8 -j DROP":                                       false,
		"DOCKER-USER -i rdd1 -j RETURN":                                                            false,
		"FORWARD -i rdd1 -d 10.0.0.0/8 -j DROP":                                                    false,
		"FORWARD -s 172.16.9.0/24 -j LOG":                                                          false,
		"FORWARD -i rdd1 -o eth0 -j ACCEPT":                                                        false,
		"FORWARD -o rdd12 -j DOCKER":                                                               false,
		"POSTROUTING -s 172.16.9.0/24 -o wg0 -j MASQUERADE":                                        false,
		"POSTROUTING -s 172.16.9.0/24 -d 10.0.0.0/8 ! -o rdd1 -j ACCEPT":                           false,
		"POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE":                                  false,
		"POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 81 -j MASQUERADE":     false,
		"POSTROUTING -s 172.16.9.2/32 -d 172.16.9.3/32 -p tcp -m tcp --dport 81 -j MASQUERADE":     false,
		"POSTROUTING -s 172.16.9.0/24 ! -o rdd1 -m comment --comment \"mine\" -j MASQUERADE":       false,
		"MY-CHAIN -s 172.16.9.0/24 -j ACCEPT":                                                      false,
		"FORWARD -i rdd1 -o rdd1 -m comment --comment \"-j DROP\" -j ACCEPT":                       false,
		"POSTROUTING -s 172.16.9.0/24 ! -o rdd1 -m comment --comment \" -j MASQUERADE\" -j ACCEPT": false,
	}
	for rule, want := range tests {
		got := removalScript(parseRules("*filter\n-A "+rule+"\nCOMMIT\n"), own())
		if strings.Contains(got, "-D "+rule) != want {
			t.Errorf("%s: removed %v, want %v", rule, !want, want)
		}
	}
}
