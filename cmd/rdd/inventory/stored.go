package inventory

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// metadata is the path of containerd's database below its root directory.
const metadata = "io.containerd.metadata.v1.bolt/meta.db"

// stored reads the data directory of a Docker Engine. areStopped reports whether no
// engine runs that could have running containers.
func stored(dir string, areStopped bool) Store {
	var s Store
	names := s.entries("containers", filepath.Join(dir, "containers"))
	for i, id := range names {
		names[i] = containerName(filepath.Join(dir, "containers", id, "config.v2.json"), id)
	}
	slices.Sort(names)
	if areStopped {
		s.Stopped = names
	} else {
		s.Containers = names
	}
	s.Volumes = s.entries("volumes", filepath.Join(dir, "volumes"))
	for _, driver := range s.entries("images", filepath.Join(dir, "image")) {
		content, err := os.ReadDir(filepath.Join(dir, "image", driver, "imagedb", "content", "sha256"))
		s.unread("images", err)
		s.Images += len(content)
	}
	// An engine with containerd's image store has the images there.
	images, err := records(filepath.Join(dir, "containerd", "daemon", metadata), "images")
	s.unread("images", err)
	s.Images += len(images)
	return s
}

// storedContainerd reads the root directory of containerd. state is the directory with
// the state of a containerd that runs, else empty.
func storedContainerd(dir, state string) Store {
	s := Store{Where: "of containerd"}
	all, err := records(filepath.Join(dir, metadata), "containers")
	s.unread("containers", err)
	images, err := records(filepath.Join(dir, metadata), "images")
	s.unread("images", err)
	s.Images = len(images)
	if state == "" {
		s.Stopped = all
		return s
	}
	tasks := filepath.Join(state, "io.containerd.runtime.v2.task")
	for _, namespace := range s.entries("containers", tasks) {
		s.Running = append(s.Running, s.entries("containers", filepath.Join(tasks, namespace))...)
	}
	slices.Sort(s.Running)
	for _, name := range all {
		if _, runs := slices.BinarySearch(s.Running, name); !runs {
			s.Stopped = append(s.Stopped, name)
		}
	}
	return s
}

// entries returns the names of the directories in dir, sorted.
func (s *Store) entries(kind, dir string) []string {
	entries, err := os.ReadDir(dir)
	s.unread(kind, err)
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names
}

// unread records that objects of a kind could not be counted. Missing files are none.
func (s *Store) unread(kind string, err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !slices.Contains(s.Unread, kind) {
		s.Unread = append(s.Unread, kind)
	}
}

// containerName returns the name in the configuration that dockerd has saved of a
// container, else its ID.
func containerName(path, id string) string {
	file, err := os.Open(path)
	if err != nil {
		return id
	}
	defer file.Close()
	var config struct{ Name string }
	const enough = 4 << 20
	if err := json.NewDecoder(io.LimitReader(file, enough)).Decode(&config); err != nil || config.Name == "" {
		return id
	}
	return strings.TrimPrefix(config.Name, "/")
}

// lockTimeout is how long records waits for a database that an engine uses.
const lockTimeout = 100 * time.Millisecond

// records returns the names of a kind of containerd's objects, of all namespaces, sorted.
// The layout is that of containerd's core/metadata/buckets.go: v1/NAMESPACE/KIND/NAME.
func records(path, kind string) (names []string, err error) {
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	// bbolt panics on a damaged file. It maps the file, and a page after its end is a fault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if damage := recover(); damage != nil {
			err = fmt.Errorf("read %s: %v", path, damage)
		}
	}()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: lockTimeout})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.View(func(tx *bbolt.Tx) error {
		root := tx.Bucket([]byte("v1"))
		if root == nil {
			return nil
		}
		return root.ForEachBucket(func(namespace []byte) error {
			bucket := root.Bucket(namespace).Bucket([]byte(kind))
			if bucket == nil {
				return nil
			}
			return bucket.ForEachBucket(func(name []byte) error {
				names = append(names, string(name))
				return nil
			})
		})
	})
	slices.Sort(names)
	return names, err
}
