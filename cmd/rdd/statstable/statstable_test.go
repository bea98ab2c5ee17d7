package statstable

import (
	"strings"
	"testing"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

func TestSizesAreShort(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0B", 999: "999B", 1000: "1.0Ki", 1 << 20: "1.0Mi", 500 << 20: "500Mi", 1023 << 20: "1.0Gi", 15 << 30: "15Gi", 3 << 50: "3Pi",
	} {
		if got := size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestTableShowsPercentOfOneCore(t *testing.T) {
	var out strings.Builder
	row := Row{Name: "web", Stats: engine.Stats{CPU: engine.CPUStats{UsageNanoCores: 1_500_000_000}, PIDs: 7}}
	if err := Write(&out, []Row{row}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "NAME ") || !strings.Contains(lines[1], "150.0%") || !strings.HasSuffix(lines[1], "7") {
		t.Errorf("the table is\n%s", out.String())
	}
}
