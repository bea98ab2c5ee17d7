package limahost

import (
	"fmt"
	"strings"
)

// FormatBytes returns a number of bytes as text such as "1.5 GiB".
func FormatBytes(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, prefix := float64(n), -1
	for value >= unit {
		value /= unit
		prefix++
	}
	text := strings.TrimSuffix(fmt.Sprintf("%.1f", value), ".0")
	return text + " " + string("KMGTPE"[prefix]) + "iB"
}
