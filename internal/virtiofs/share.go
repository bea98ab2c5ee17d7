package virtiofs

// GuestUser is the user and the group in the guest that the user's files belong to.
const GuestUser = 1000

// Share is a directory of the host, and the socket at which it is served.
type Share struct {
	Dir      string `json:"dir"`
	Socket   string `json:"socket"`
	Writable bool   `json:"writable,omitempty"`
}

// Private are directories of the host that no guest must reach, also if a directory above
// them is shared.
type Private struct {
	// Dirs are paths of directories. Those that do not exist are ignored.
	Dirs []string
	// A directory is private too if its name begins with one of Prefixes, which are in
	// lower case, and if it has a regular file with the name Marker.
	Prefixes []string
	Marker   string
}
