package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/rddtest"
)

const (
	// sampleEvery is the pause between two samples, at most.
	sampleEvery = 10 * time.Second
	samplesFile = "samples.csv"
)

// sample is one reading of all measures.
type sample struct {
	daemon string
	// at is the time since the begin of the load.
	at time.Duration
	// pid is that of the daemon's process.
	pid    int
	values []float64
}

// sample reads all measures of all daemons until ctx ends. It also takes a profile of each
// daemon at the end of each quarter.
func (s *soak) sample(ctx context.Context) error {
	file, err := os.Create(filepath.Join(s.out, samplesFile))
	if err != nil {
		return fmt.Errorf("write the samples: %w", err)
	}
	defer file.Close()
	header := []string{"daemon", "seconds", "pid"}
	for _, m := range measures() {
		header = append(header, m.column)
	}
	table := csv.NewWriter(file)
	if err := table.Write(header); err != nil {
		return fmt.Errorf("write the samples: %w", err)
	}
	quarters, pause := 0, min(sampleEvery, s.quarter/30)
	for next := s.began; ; next = next.Add(pause) {
		if rddtest.Sleep(ctx, time.Until(next)) != nil {
			break
		}
		for _, d := range s.daemons {
			// A daemon that is being restarted has no sample.
			if one, err := d.sample(ctx, time.Since(s.began)); err == nil {
				if err := table.Write(one.record()); err != nil {
					return fmt.Errorf("write the samples: %w", err)
				}
			}
		}
		if table.Flush(); table.Error() != nil {
			return fmt.Errorf("write the samples: %w", table.Error())
		}
		if done := int((time.Since(s.began) + 2*pause) / s.quarter); done > quarters {
			quarters = done
			s.profile(ctx, done)
			if err := s.writeSummary(); err != nil {
				return err
			}
		}
	}
	return file.Close()
}

// record returns the line of a sample in the file.
func (s sample) record() []string {
	line := []string{s.daemon, strconv.FormatFloat(s.at.Seconds(), 'f', 1, 64), strconv.Itoa(s.pid)}
	for _, value := range s.values {
		line = append(line, strconv.FormatFloat(value, 'f', -1, 64))
	}
	return line
}

// sample reads all measures. It returns an error while the daemon is being restarted.
func (d *daemon) sample(ctx context.Context, at time.Duration) (sample, error) {
	began := time.Now()
	p, err := d.process()
	if err != nil {
		return sample{}, err
	}
	all, err := d.read(ctx, filepath.Join("/proc", strconv.Itoa(p.PID)))
	if err == nil && d.outages.during(began.Add(-recovery), time.Now()) && d.name == restarted {
		err = errors.New("it is being restarted")
	}
	one := sample{daemon: d.name, at: at, pid: p.PID}
	for _, m := range measures() {
		one.values = append(one.values, all[m.column])
	}
	return one, err
}

// read returns the values by column.
func (d *daemon) read(ctx context.Context, proc string) (map[string]float64, error) {
	metrics, err := d.metrics(ctx)
	if err != nil {
		return nil, err
	}
	private, err1 := rddtest.ReadField(filepath.Join(proc, "status"), "RssAnon:")
	threads, err2 := rddtest.ReadField(filepath.Join(proc, "status"), "Threads:")
	descriptors, err3 := os.ReadDir(filepath.Join(proc, "fd"))
	data, err4 := sizeOf(d.paths["dir"], func(name string) bool { return strings.HasPrefix(name, "state.db") })
	log, err5 := sizeOf(d.paths["log_dir"], func(string) bool { return true })
	files, err6 := sizeOf(d.paths["dir"], func(string) bool { return true })
	usage, err7 := d.Usage()
	// Go returns memory that became free over minutes.
	free := metrics["go_memstats_heap_idle_bytes"] - metrics["go_memstats_heap_released_bytes"]
	return map[string]float64{
		"rss_anon":     float64(private << 10),
		"private_used": float64(private<<10) - free,
		"heap":         metrics["go_memstats_heap_inuse_bytes"],
		"goroutines":   metrics["go_goroutines"],
		"descriptors":  float64(len(descriptors)),
		"threads":      float64(threads),
		"database":     float64(data.bytes),
		"files":        float64(files.count + log.count),
		"log":          float64(log.bytes),
		"cpu":          usage.CPU.Seconds(),
	}, errors.Join(err1, err2, err3, err4, err5, err6, err7)
}

// metrics returns the daemon's own metrics that have no labels.
func (d *daemon) metrics(ctx context.Context) (map[string]float64, error) {
	text, err := d.raw(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for line := range bytes.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		if number, err := strconv.ParseFloat(value, 64); err == nil {
			all[name] = number
		}
	}
	return all, nil
}

// raw reads a path of the API server.
func (d *daemon) raw(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	api := d.api()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, api.config.Host+path, nil) //nolint:gosec // the daemon under test
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", path, err)
	}
	response, err := api.http.Do(request) //nolint:gosec // as above
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", path, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("get %s: %s", path, response.Status)
	}
	return io.ReadAll(response.Body)
}

// size is the number and the size of files.
type size struct {
	count int
	bytes int64
}

// sizeOf adds up the files below a directory whose name is selected.
func sizeOf(dir string, selected func(name string) bool) (all size, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was removed meanwhile
		}
		if err != nil || entry.IsDir() || !selected(entry.Name()) {
			return err
		}
		if info, err := entry.Info(); err == nil {
			all.count++
			all.bytes += info.Size()
		}
		return nil
	})
	return all, err
}

// profile saves the heap profile and the goroutines of each daemon.
func (s *soak) profile(ctx context.Context, quarter int) {
	for _, d := range s.daemons {
		for file, path := range map[string]string{"heap.pb.gz": "/debug/pprof/heap?gc=1", "goroutines.txt": "/debug/pprof/goroutine?debug=1"} {
			text, err := d.raw(ctx, path)
			if err == nil {
				err = os.WriteFile(filepath.Join(s.out, fmt.Sprintf("%s-%d-%s", d.name, quarter, file)), text, 0o600)
			}
			if err != nil {
				fmt.Fprintf(s.stdout, "profile daemon %s: %v\n", d.name, err)
			}
		}
	}
}
