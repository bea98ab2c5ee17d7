package bundle

import "time"

// Manifest says what is in a bundle, and what is not.
type Manifest struct {
	Instance string    `json:"instance"`
	Version  string    `json:"version"`
	Time     time.Time `json:"time"`
	Entries  []Entry   `json:"entries"`
}

// Entry is one file of the bundle.
type Entry struct {
	Name string `json:"name"`
	// Bytes of it in the bundle.
	Bytes int64 `json:"bytes"`
	// Cut is how many bytes at its beginning were left out, because it is too large.
	Cut int64 `json:"cut,omitempty"`
	// Milliseconds that it took to collect.
	Milliseconds int64 `json:"milliseconds"`
	// Error says what is missing of it, and why.
	Error string `json:"error,omitempty"`
}

// Missing are the entries that are not there, or not whole.
func (m Manifest) Missing() []Entry {
	var missing []Entry
	for _, e := range m.Entries {
		if e.Error != "" {
			missing = append(missing, e)
		}
	}
	return missing
}
