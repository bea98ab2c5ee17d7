package engineconfig

import (
	"maps"
	"slices"
	"strings"
)

// Merge returns the content of Docker's daemon.json: the user's settings, and those of
// rdd, which take precedence.
func (s Settings) Merge(own map[string]any) map[string]any {
	merged := map[string]any{}
	maps.Copy(merged, s.Config)
	for name, list := range map[string][]string{
		"registry-mirrors": s.RegistryMirrors, "insecure-registries": s.InsecureRegistries, "dns": s.DNS,
	} {
		if len(list) > 0 {
			merged[name] = list
		}
	}
	maps.Copy(merged, own)
	return merged
}

// Variables returns the proxies as variables of the environment, NAME=VALUE. The engine
// takes them from there in every version.
func (s Settings) Variables() []string {
	var variables []string
	for _, v := range []struct{ name, value string }{
		{"HTTP_PROXY", s.Proxy.HTTP}, {"HTTPS_PROXY", s.Proxy.HTTPS}, {"NO_PROXY", s.Proxy.No},
	} {
		if v.value != "" {
			variables = append(variables, v.name+"="+v.value)
		}
	}
	return variables
}

// Environment returns the environment of the engine: env with the user's proxies, which
// replace those in env.
func (s Settings) Environment(env []string) []string {
	variables := s.Variables()
	replaced := map[string]bool{}
	for _, variable := range variables {
		name, _, _ := strings.Cut(variable, "=")
		replaced[name], replaced[strings.ToLower(name)] = true, true
	}
	env = slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return replaced[name]
	})
	return append(env, variables...)
}
