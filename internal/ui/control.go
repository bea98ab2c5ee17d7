package ui

// ControlPath is the path of the API server at which the owner of its token controls the
// page: a POST is answered with a [Login]. A DELETE ends all sessions, and is answered with
// [Ended].
const ControlPath = "/rdd/page"

// Login is an address that logs one browser in, within 30 s, and the address of the page.
type Login struct {
	URL  string `json:"url"`
	Page string `json:"page"`
	// Missing is set if the daemon's program was built without the page.
	Missing bool `json:"missing,omitempty"`
}

// Ended has the number of sessions that have ended.
type Ended struct {
	Sessions int `json:"sessions"`
}
