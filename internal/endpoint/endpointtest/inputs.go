// Package endpointtest has valid and invalid endpoints, with which every validation of
// endpoints is tested.
package endpointtest

// Valid returns valid endpoints.
func Valid() []string {
	return []string{
		"unix:///run/docker.sock", "unix:////run//docker.sock", "unix:///home/a b/Ünïcode/docker.sock", "unix:///a,b:c[d]@e?f#g%h",
		"tcp://127.0.0.1:2375", "tcp://[::1]:2375", "tcp://[::1]:2375/base/", "tcp://[fe80::1]:1", "tcp://host_1.example:65535/a/b",
		"http://engine.example", "https://engine.example", "https://engine.example:2376", "http://[2001:db8::1]", "http://h/",
	}
}

// Invalid returns invalid endpoints. The empty one is not among them: it means that no
// endpoint is set.
func Invalid() []string {
	return []string{
		"/run/docker.sock", "run", "unix:", "unix://", "unix:///", "unix:////", "unix://relative.sock", "unix://fake.sock", "unix://localhost/run/docker.sock",
		"unix:///a\nb", "unix:///a\x00b", "UNIX:///a", " unix:///a", "tcp://", "tcp://host", "tcp://:2375", "tcp://host:", "tcp://host:0", "tcp://host:02375",
		"tcp://host:port", "tcp://host:65536", "tcp://host:99999", "tcp://user@host:1", "tcp://host:1?x=1", "tcp://host:1#x", "http://host?x=1", "tcp://ho st:1",
		"tcp://[::1:2375", "tcp://::1:2375", "tcp://::0", "tcp://[:::]:1", "tcp://[1.2.3.4]:1", "tcp://[::ffff:1.2.3.4]:1", "tcp://[::1%25lo]:1", "tcp://[]:1",
		"tcp://%zz:1", "tcp://-host:1", "ssh://host", "npipe:////./pipe/docker_engine", "fd://", "tcp://a:1,tcp://b:2", "http:///x", "https:", "tCp://h:1",
	}
}
