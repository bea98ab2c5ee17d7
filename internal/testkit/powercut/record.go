package powercut

import "sync"

type operation int

const (
	// create gives a new file a name.
	create operation = iota
	rename
	unlink
	write
	truncate
	// syncFile and syncDirectory make the earlier steps of a file, or all names, durable.
	syncFile
	syncDirectory
)

// step is a change of the directory or of one of its files, or a sync.
type step struct {
	operation operation
	// file is the number of a file, in the order of their creation.
	file int
	// name is the name before a rename, and to the name after it.
	name, to string
	// offset is that of a write, or the size after a truncation, in bytes.
	offset int64
	data   []byte
}

// Record has all steps since the directory was mounted. Its methods may be called
// concurrently.
type Record struct {
	mu    sync.Mutex
	steps []step
	files int
}

// Len returns the number of steps so far.
func (r *Record) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.steps)
}

func (r *Record) add(s step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.steps = append(r.steps, s)
}

// create records a new file, and returns its number.
func (r *Record) create(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	number := r.files
	r.files++
	r.steps = append(r.steps, step{operation: create, file: number, name: name})
	return number
}

// applyTo returns the content of a file after a write or a truncation.
func (s step) applyTo(content []byte) []byte {
	switch s.operation {
	case write:
		content = resize(content, max(int64(len(content)), s.offset+int64(len(s.data))))
		copy(content[s.offset:], s.data)
	case truncate:
		content = resize(content, s.offset)
	case create, rename, unlink, syncFile, syncDirectory:
	}
	return content
}

// resize returns content with a size, in bytes. What is added is zero.
func resize(content []byte, size int64) []byte {
	if size <= int64(len(content)) {
		return content[:size]
	}
	return append(content, make([]byte, size-int64(len(content)))...)
}
