package bundle

import "time"

// Manifest lists what is in a bundle, and what is missing.
type Manifest struct {
	Instance string    `json:"instance"`
	Version  string    `json:"version"`
	Time     time.Time `json:"time"`
	Entries  []Entry   `json:"entries"`
}

// Entry is one file of the bundle.
type Entry struct {
	Name string `json:"name"`
	// Bytes is the size in the bundle.
	Bytes int64 `json:"bytes"`
	// Cut is the number of bytes that were cut at the beginning of a large file.
	Cut int64 `json:"cut,omitempty"`
	// Milliseconds is how long collecting took.
	Milliseconds int64 `json:"milliseconds"`
	// Error says what is missing, and why.
	Error string `json:"error,omitempty"`
}

// Missing returns the entries that are missing or incomplete.
func (m Manifest) Missing() []Entry {
	var missing []Entry
	for _, e := range m.Entries {
		if e.Error != "" {
			missing = append(missing, e)
		}
	}
	return missing
}
