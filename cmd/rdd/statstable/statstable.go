// Package statstable draws the use of resources by containers as a table.
package statstable

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// Row is one container.
type Row struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	engine.Stats
}

// Write writes a table. The use of processors is in percent of one core.
func Write(out io.Writer, rows []Row) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "NAME\tCPU\tMEMORY\tLIMIT\tNET IN\tNET OUT\tREAD\tWRITE\tPIDS")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%.1f%%\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", r.Name, float64(r.CPU.UsageNanoCores)/1e7,
			size(r.Memory.UsageBytes), size(r.Memory.LimitBytes), size(r.Network.ReceivedBytes), size(r.Network.TransmittedBytes),
			size(r.BlockIO.ReadBytes), size(r.BlockIO.WriteBytes), r.PIDs)
	}
	return table.Flush()
}

// size formats a number of bytes in at most six characters, such as 1.5Mi.
func size(n uint64) string {
	value := float64(n)
	for _, unit := range []string{"B", "Ki", "Mi", "Gi", "Ti"} {
		switch {
		case value < 10 && unit != "B":
			return fmt.Sprintf("%.1f%s", value, unit)
		case value < 1000:
			return fmt.Sprintf("%.0f%s", value, unit)
		}
		value /= 1024
	}
	return fmt.Sprintf("%.0fPi", value)
}
