package powercut

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// sector is the number of bytes that a disk writes completely or not at all.
const sector = 512

// Replay is the state of the directory after the first steps of a record.
type Replay struct {
	record *Record
	next   int
	files  map[int]*file
	// names are the durable names, and renamed the later changes of names.
	names   map[string]int
	renamed []step
}

// file is a file with its durable content, and the later changes.
type file struct {
	content []byte
	pending []step
}

// NewReplay returns the state before the first step.
func (r *Record) NewReplay() *Replay {
	return &Replay{record: r, files: map[int]*file{}, names: map[string]int{}}
}

// Advance repeats the steps up to a number of them.
func (p *Replay) Advance(steps int) {
	p.record.mu.Lock()
	defer p.record.mu.Unlock()
	for ; p.next < min(steps, len(p.record.steps)); p.next++ {
		p.repeat(p.record.steps[p.next])
	}
}

func (p *Replay) repeat(s step) {
	switch s.operation {
	case create, rename, unlink:
		if s.operation == create {
			p.files[s.file] = &file{}
		}
		p.renamed = append(p.renamed, s)
	case write, truncate:
		p.files[s.file].pending = append(p.files[s.file].pending, s)
	case syncFile:
		p.files[s.file].sync()
	case syncDirectory:
		for _, change := range p.renamed {
			change.applyToNames(p.names)
		}
		p.renamed = nil
	}
}

func (f *file) sync() {
	for _, s := range f.pending {
		f.content = s.applyTo(f.content)
	}
	f.pending = nil
}

func (s step) applyToNames(names map[string]int) {
	switch s.operation {
	case create:
		names[s.name] = s.file
	case rename:
		if number, ok := names[s.name]; ok {
			names[s.to] = number
			delete(names, s.name)
		}
	case unlink:
		delete(names, s.name)
	case write, truncate, syncFile, syncDirectory:
	}
}

// Current returns the content of a file as the program sees it; nil if there is none.
func (p *Replay) Current(name string) []byte {
	names := maps.Clone(p.names)
	for _, change := range p.renamed {
		change.applyToNames(names)
	}
	number, ok := names[name]
	if !ok {
		return nil
	}
	content := bytes.Clone(p.files[number].content)
	for _, s := range p.files[number].pending {
		content = s.applyTo(content)
	}
	return content
}

// Cut writes into a directory what a power cut at this moment may leave.
func (p *Replay) Cut(random *rand.Rand, dir string) error {
	names := maps.Clone(p.names)
	for _, change := range p.renamed[:random.IntN(len(p.renamed)+1)] {
		change.applyToNames(names)
	}
	for name, number := range names {
		if err := os.WriteFile(filepath.Join(dir, name), p.files[number].cut(random), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// cut returns what a power cut may leave of a file. The disk often has all of the latest
// changes, or none of them.
func (f *file) cut(random *rand.Rand) []byte {
	content := bytes.Clone(f.content)
	fate := random.IntN(4)
	for _, s := range f.pending {
		if fate == 0 || fate > 1 && random.IntN(2) == 0 {
			continue
		}
		if fate == 3 && s.operation == write {
			s = s.torn(random)
		}
		content = s.applyTo(content)
	}
	return content
}

// torn returns a write of which the disk has only the sectors up to a random one.
func (s step) torn(random *rand.Rand) step {
	sectors := (len(s.data) + sector - 1) / sector
	s.data = s.data[:min(len(s.data), sector*random.IntN(sectors+1))]
	return s
}
