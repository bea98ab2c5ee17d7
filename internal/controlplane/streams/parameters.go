package streams

// parameter is a parameter of the query of a subresource.
type parameter struct {
	name string
	// kind is boolean, integer or string.
	kind        string
	description string
}

// parameters returns what the query of a subresource may have. The list is what requests
// are checked against, and what OpenAPI shows.
func parameters(subresource string) []parameter {
	switch subresource {
	case logs:
		return []parameter{
			{name: "follow", kind: "boolean", description: "Follow the log until the container ends. Defaults to false."},
			{name: "tailLines", kind: "integer", description: "The number of lines from the end of the log to show; lines of both streams count. All by default."},
			{name: "sinceSeconds", kind: "integer", description: "Only lines of the last seconds. It cannot be combined with sinceTime."},
			{name: "sinceTime", kind: "string", description: "Only lines from this time on, as in RFC 3339. It cannot be combined with sinceSeconds."},
			{name: "timestamps", kind: "boolean", description: "Begin each line with its time, as in RFC 3339 with nanoseconds. Defaults to false."},
			{name: "stream", kind: "string", description: "stdout or stderr; both by default."},
			{name: "limitBytes", kind: "integer", description: "The number of bytes after which the log ends. No limit by default."},
			{name: "previous", kind: "boolean", description: "Only false is supported: the log of a container has all of its runs."},
		}
	case stats:
		return []parameter{
			{name: "stream", kind: "boolean", description: "Send a reading each second until the container ends; false sends one. Defaults to true."},
		}
	}
	streams := []parameter{
		{name: "stdin", kind: "boolean", description: "Connect the standard input. Defaults to false."},
		{name: "stdout", kind: "boolean", description: "Connect the standard output. Defaults to true."},
		{name: "stderr", kind: "boolean", description: "Connect the standard error. Defaults to true."},
		{name: "tty", kind: "boolean", description: "Allocate a terminal for the process, which then has no standard error of its own. Defaults to false."},
	}
	if subresource == exec {
		streams = append(streams, parameter{
			name: "command", kind: "string",
			description: "The program. The parameter is repeated for each argument. No shell reads it.",
		})
	}
	return streams
}

func parameterNames(subresource string) []string {
	var names []string
	for _, p := range parameters(subresource) {
		names = append(names, p.name)
	}
	return names
}
