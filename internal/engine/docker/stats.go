package docker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// wireStats is what rdd reads of GET /containers/{id}/stats.
type wireStats struct {
	Read    time.Time
	PreRead time.Time
	CPU     wireCPU `json:"cpu_stats"`
	PreCPU  wireCPU `json:"precpu_stats"`
	Memory  struct {
		Usage, Limit uint64
		Stats        map[string]uint64
	} `json:"memory_stats"`
	Networks map[string]struct {
		RxBytes   uint64 `json:"rx_bytes"`
		RxPackets uint64 `json:"rx_packets"`
		TxBytes   uint64 `json:"tx_bytes"`
		TxPackets uint64 `json:"tx_packets"`
	}
	Block struct {
		Bytes []struct {
			Op    string
			Value uint64
		} `json:"io_service_bytes_recursive"`
	} `json:"blkio_stats"`
	PIDs struct{ Current uint64 } `json:"pids_stats"`
}

type wireCPU struct {
	Usage struct {
		Total uint64 `json:"total_usage"`
	} `json:"cpu_usage"`
	Online uint32 `json:"online_cpus"`
}

// Stats implements engine.Streamer.
func (d *httpAPI) Stats(ctx context.Context, id string, once bool, sink func(engine.Stats) error) error {
	s := d.newStream(ctx)
	defer func() { _ = s.Close() }()
	return s.failed(d.stats(s.ctx, id, once, sink))
}

func (d *httpAPI) stats(ctx context.Context, id string, once bool, sink func(engine.Stats) error) error {
	cli, err := d.client(ctx)
	if err != nil {
		return err
	}
	if _, err := d.running(ctx, cli, id); err != nil {
		return err
	}
	// The previous sample is what the use of processors is computed from.
	result, err := cli.ContainerStats(forStream(ctx), id, client.ContainerStatsOptions{Stream: !once, IncludePreviousSample: true})
	if err != nil {
		return err
	}
	defer func() { _ = result.Body.Close() }()
	decoder := json.NewDecoder(result.Body)
	for {
		var wire wireStats
		if err := decoder.Decode(&wire); errors.Is(err, io.EOF) {
			return d.answers(ctx)
		} else if err != nil {
			return err
		}
		if wire.isEmpty() {
			// The engine sends empty readings of a container that ended.
			if found, err := d.inspectStreamed(ctx, cli, id); err != nil || !found.isRunning {
				return ignoreNotFound(err)
			}
			continue
		}
		if wire.PreRead.IsZero() && !once {
			continue
		}
		if err := sink(mapStats(wire)); err != nil {
			return sinkError{err}
		}
	}
}

func ignoreNotFound(err error) error {
	if engine.IsNotFound(err) {
		return nil
	}
	return err
}

func (w wireStats) isEmpty() bool {
	return w.Read.IsZero() || w.CPU.Usage.Total == 0 && w.Memory.Usage == 0 && w.PIDs.Current == 0
}

func mapStats(w wireStats) engine.Stats {
	out := engine.Stats{
		Time: w.Read,
		CPU:  engine.CPUStats{UsageCoreNanoSeconds: w.CPU.Usage.Total, OnlineCores: w.CPU.Online},
		Memory: engine.MemoryStats{
			UsageBytes: w.Memory.Usage - min(w.Memory.Usage, w.reclaimable()), LimitBytes: w.Memory.Limit,
		},
		PIDs: w.PIDs.Current,
	}
	if elapsed := w.Read.Sub(w.PreRead); !w.PreRead.IsZero() && elapsed > 0 && w.CPU.Usage.Total > w.PreCPU.Usage.Total {
		used := float64(w.CPU.Usage.Total - w.PreCPU.Usage.Total)
		out.CPU.UsageNanoCores = uint64(used / elapsed.Seconds())
	}
	for _, n := range w.Networks {
		out.Network.ReceivedBytes += n.RxBytes
		out.Network.ReceivedPackets += n.RxPackets
		out.Network.TransmittedBytes += n.TxBytes
		out.Network.TransmittedPackets += n.TxPackets
	}
	for _, b := range w.Block.Bytes {
		switch strings.ToLower(b.Op) {
		case "read":
			out.BlockIO.ReadBytes += b.Value
		case "write":
			out.BlockIO.WriteBytes += b.Value
		}
	}
	return out
}

// reclaimable returns the size of the cache of files that were not used lately, as
// docker stats does. The first name is that of cgroups v1.
func (w wireStats) reclaimable() uint64 {
	if n, ok := w.Memory.Stats["total_inactive_file"]; ok {
		return n
	}
	return w.Memory.Stats["inactive_file"]
}
