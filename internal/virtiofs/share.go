package virtiofs

// GuestUser is the user and the group in the guest that the user's files belong to.
const GuestUser = 1000

// Share is a directory of the host, and the socket at which it is served.
type Share struct {
	Dir      string `json:"dir"`
	Socket   string `json:"socket"`
	Writable bool   `json:"writable,omitempty"`
}
