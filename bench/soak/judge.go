package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"
)

// verdict is how one measure of one daemon has changed.
type verdict struct {
	daemon  string
	measure measure
	// quarters are the means of the quarters, or the growth in them, in the unit.
	quarters [4]float64
}

// passed reports whether the last quarter is within the limit.
func (v verdict) passed() bool {
	return !v.measure.judged() || v.quarters[3] <= v.measure.limit(v.quarters[1])
}

// judge compares the quarters of each measure of each daemon.
func judge(samples []sample, quarter time.Duration) ([]verdict, error) {
	var verdicts []verdict
	for _, daemon := range daemonsOf(samples) {
		for column, m := range measures() {
			v := verdict{daemon: daemon, measure: m}
			for q := range v.quarters {
				value, err := summarize(samples, daemon, column, time.Duration(q)*quarter, time.Duration(q+1)*quarter)
				if err != nil {
					return nil, fmt.Errorf("judge %s of daemon %s, quarter %d: %w", m.title, daemon, q+1, err)
				}
				v.quarters[q] = value
			}
			verdicts = append(verdicts, v)
		}
	}
	return verdicts, nil
}

// daemonsOf returns the names of the daemons, sorted.
func daemonsOf(samples []sample) (names []string) {
	for _, s := range samples {
		if !slices.Contains(names, s.daemon) {
			names = append(names, s.daemon)
		}
	}
	slices.Sort(names)
	return names
}

// summarize returns the mean of a measure, or its growth, from one time to another.
func summarize(samples []sample, daemon string, column int, from, to time.Duration) (float64, error) {
	m := measures()[column]
	var sum, growth float64
	count, before := 0, sample{}
	for _, s := range samples {
		if s.daemon != daemon || s.at < from || s.at >= to {
			continue
		}
		sum += s.values[column]
		if count > 0 {
			// A log that was rotated, and a process that was restarted, begin at zero.
			if step := s.values[column] - before.values[column]; step >= 0 {
				growth += step
			} else {
				growth += s.values[column]
			}
		}
		before = s
		count++
	}
	switch {
	case count < 2:
		return 0, errors.New("there are no samples")
	case m.rate:
		return growth * m.scale, nil
	}
	return sum / float64(count) * m.scale, nil
}

// readSamples reads the file of samples.
func readSamples(name string) ([]sample, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read the samples: %w", err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the samples: %w", err)
	}
	var samples []sample
	for number, line := range lines[min(1, len(lines)):] {
		one, err := parseSample(line)
		if err != nil {
			return nil, fmt.Errorf("read the samples, line %d: %w", number+2, err)
		}
		samples = append(samples, one)
	}
	return samples, nil
}

func parseSample(line []string) (sample, error) {
	if want := len(measures()) + 3; len(line) != want {
		return sample{}, fmt.Errorf("%d fields, want %d", len(line), want)
	}
	seconds, err1 := strconv.ParseFloat(line[1], 64)
	pid, err2 := strconv.Atoi(line[2])
	errs := []error{err1, err2}
	one := sample{daemon: line[0], at: time.Duration(seconds * float64(time.Second)), pid: pid}
	for _, field := range line[3:] {
		value, err := strconv.ParseFloat(field, 64)
		errs = append(errs, err)
		one.values = append(one.values, value)
	}
	return one, errors.Join(errs...)
}
