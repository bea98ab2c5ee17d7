package instance

import (
	"os"
	"strconv"
	"strings"
)

// SavedPort returns the port in a file, or 0 if there is none.
func SavedPort(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	port, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 16)
	if err != nil {
		return 0
	}
	return int(port)
}
