package instance

import "strings"

// Environment is the part of a daemon's environment that is kept from one start
// to the next: a start from another shell brings up the same engine.
type Environment struct {
	Dockerd     string `json:"RDD_DOCKERD,omitempty"`
	DockerdArgs string `json:"RDD_DOCKERD_ARGS,omitempty"`
	// A proxy may have a password: the file has mode 0600.
	HTTPProxy       string `json:"HTTP_PROXY,omitempty"`
	HTTPProxyLower  string `json:"http_proxy,omitempty"`
	HTTPSProxy      string `json:"HTTPS_PROXY,omitempty"`
	HTTPSProxyLower string `json:"https_proxy,omitempty"`
	AllProxy        string `json:"ALL_PROXY,omitempty"`
	AllProxyLower   string `json:"all_proxy,omitempty"`
	NoProxy         string `json:"NO_PROXY,omitempty"`
	NoProxyLower    string `json:"no_proxy,omitempty"`
}

// variable is a name in the environment and where its value is kept.
type variable struct {
	name  string
	value *string
}

// variables groups the names that mean the same to a program: a value for one of
// a group is not mixed with a kept value of another.
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

// With returns e with what lookup, such as os.LookupEnv, finds. A variable that
// is set replaces the kept one, one that is set to nothing removes it, and one
// that is not set leaves it as it was.
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

// List returns the kept variables as NAME=VALUE, for exec.Cmd.
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

// Shown returns the kept variables for a user to read, without the user names
// and passwords of proxies.
func (e Environment) Shown() []string {
	list := e.List()
	for i, entry := range list {
		if name, value, _ := strings.Cut(entry, "="); strings.HasSuffix(strings.ToUpper(name), "_PROXY") {
			list[i] = name + "=" + withoutUser(value)
		}
	}
	return list
}

// withoutUser masks what stands before the host of a URL, which may lack a scheme.
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
