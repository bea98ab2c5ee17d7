package instance

import "strings"

// Environment is the part of a daemon's environment that is saved, so that a start from
// another shell starts the same engine.
type Environment struct {
	Dockerd     string `json:"RDD_DOCKERD,omitempty"`
	DockerdArgs string `json:"RDD_DOCKERD_ARGS,omitempty"`
	// A proxy's URL may have a password, so the file has mode 0600.
	HTTPProxy       string `json:"HTTP_PROXY,omitempty"`
	HTTPProxyLower  string `json:"http_proxy,omitempty"`
	HTTPSProxy      string `json:"HTTPS_PROXY,omitempty"`
	HTTPSProxyLower string `json:"https_proxy,omitempty"`
	AllProxy        string `json:"ALL_PROXY,omitempty"`
	AllProxyLower   string `json:"all_proxy,omitempty"`
	NoProxy         string `json:"NO_PROXY,omitempty"`
	NoProxyLower    string `json:"no_proxy,omitempty"`
}

// variable is the name of an environment variable and the field with its value.
type variable struct {
	name  string
	value *string
}

// variables groups names that mean the same to a program. A new value for one name of
// a group replaces the saved values of the whole group.
func (e *Environment) variables() [][]variable {
	return [][]variable{
		{{"RDD_DOCKERD", &e.Dockerd}},
		{{"RDD_DOCKERD_ARGS", &e.DockerdArgs}},
		{{"HTTP_PROXY", &e.HTTPProxy}, {"http_proxy", &e.HTTPProxyLower}},
		{{"HTTPS_PROXY", &e.HTTPSProxy}, {"https_proxy", &e.HTTPSProxyLower}},
		{{"ALL_PROXY", &e.AllProxy}, {"all_proxy", &e.AllProxyLower}},
		{{"NO_PROXY", &e.NoProxy}, {"no_proxy", &e.NoProxyLower}},
	}
}

// With returns e with the variables that lookup finds; lookup is a function such as
// os.LookupEnv. A variable with a value replaces the saved one, an empty one removes
// it, and an unset one keeps it.
func (e Environment) With(lookup func(string) (string, bool)) Environment {
	for _, group := range e.variables() {
		found := map[string]string{}
		for _, v := range group {
			if value, set := lookup(v.name); set {
				found[v.name] = value
			}
		}
		if len(found) == 0 {
			continue
		}
		for _, v := range group {
			*v.value = found[v.name]
		}
	}
	return e
}

// List returns the saved variables as NAME=VALUE, for exec.Cmd.
func (e Environment) List() []string {
	var list []string
	for _, group := range e.variables() {
		for _, v := range group {
			if *v.value != "" {
				list = append(list, v.name+"="+*v.value)
			}
		}
	}
	return list
}

// Shown returns the saved variables for display, without the user names and passwords
// of proxies.
func (e Environment) Shown() []string {
	list := e.List()
	for i, entry := range list {
		if name, value, _ := strings.Cut(entry, "="); strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			list[i] = name + "=" + withoutUser(value)
		}
	}
	return list
}

// withoutUser masks the user name and password of a URL, which may lack a scheme.
func withoutUser(address string) string {
	at := strings.LastIndex(address, "@")
	if at < 0 {
		return address
	}
	scheme := ""
	if before, _, found := strings.Cut(address[:at], "://"); found {
		scheme = before + "://"
	}
	return scheme + "***" + address[at:]
}
