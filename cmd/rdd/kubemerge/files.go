package kubemerge

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/userfile"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/filetree"
)

// lockFor is how long another program can hold the lock of a kubeconfig, and lockPause
// the pause between two tries.
const (
	lockFor   = 10 * time.Second
	lockPause = 20 * time.Millisecond
)

// UserFiles returns the user's kubeconfigs in the order in which kubectl reads them:
// those in KUBECONFIG, else ~/.kube/config. Files below except, the directory of an
// instance, are not the user's: 'rdd env' puts them into KUBECONFIG.
func UserFiles(except string) ([]string, error) {
	var files []string
	for _, file := range filepath.SplitList(os.Getenv(clientcmd.RecommendedConfigPathEnvVar)) {
		if file == "" {
			continue
		}
		path, err := filepath.Abs(file)
		if err != nil {
			return nil, fmt.Errorf("find kubeconfig %s: %w", file, err)
		}
		if !filetree.IsBelow(path, except) && !slices.Contains(files, path) {
			files = append(files, path)
		}
	}
	if len(files) > 0 {
		return files, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, fmt.Errorf("find the kubeconfig: %w: set HOME or KUBECONFIG", err)
	}
	return []string{filepath.Join(home, clientcmd.RecommendedHomeDir, clientcmd.RecommendedFileName)}, nil
}

// newEntries returns the file that gets new entries, by kubectl's rule: the first one that
// exists, else the last one.
func newEntries(files []string) string {
	for _, file := range files {
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return files[len(files)-1]
}

// kubeconfig is one file and its content.
type kubeconfig struct {
	path    string
	config  *clientcmdapi.Config
	changed bool
}

// change locks and reads files, calls edit, and writes what it changed. It leaves out
// missing files, except for the one of new entries if create is set; edit gets that one
// as target.
func change(files []string, create bool, edit func(all []*kubeconfig, target *kubeconfig) error) error {
	var paths []string
	target := newEntries(files)
	for _, file := range files {
		if _, err := os.Stat(file); err == nil || create && file == target {
			paths = append(paths, file)
		}
	}
	if create {
		if err := userfile.CheckOwner(target); err != nil {
			return fmt.Errorf("write kubeconfig %s: %w", target, err)
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return fmt.Errorf("create the directory of kubeconfig %s: %w", target, err)
		}
	}
	unlock, err := lockAll(paths)
	defer unlock()
	if err != nil {
		return err
	}
	var all []*kubeconfig
	var forNew *kubeconfig
	for _, path := range paths {
		k, err := load(path)
		if err != nil {
			return err
		}
		if all = append(all, k); path == target {
			forNew = k
		}
	}
	if err := edit(all, forNew); err != nil {
		return err
	}
	return writeChanged(all)
}

func load(path string) (*kubeconfig, error) {
	config, err := clientcmd.LoadFromFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		config, err = clientcmdapi.NewConfig(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig %s: %w: correct the file", path, err)
	}
	return &kubeconfig{path: path, config: config}, nil
}

func writeChanged(all []*kubeconfig) error {
	var errs []error
	for _, k := range all {
		if !k.changed {
			continue
		}
		text, err := clientcmd.Write(*k.config)
		if err == nil {
			err = userfile.Replace(k.path, text)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("write kubeconfig %s: %w", k.path, err))
		}
	}
	return errors.Join(errs...)
}

// lockAll creates the lock files that 'kubectl config' creates too, in its order. unlock
// is never nil.
func lockAll(paths []string) (unlock func(), err error) {
	var held []string
	unlock = func() {
		for _, lock := range held {
			_ = os.Remove(lock)
		}
	}
	for _, path := range slices.Sorted(slices.Values(paths)) {
		lock := path + ".lock"
		for deadline := time.Now().Add(lockFor); ; {
			f, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL, 0)
			if err == nil {
				f.Close()
				held = append(held, lock)
				break
			}
			if !errors.Is(err, fs.ErrExist) {
				return unlock, fmt.Errorf("lock kubeconfig %s: %w", path, err)
			}
			if time.Now().After(deadline) {
				return unlock, fmt.Errorf("kubeconfig %s has been locked for %s: if no other program is changing it, remove %s", path, lockFor, lock)
			}
			<-time.After(lockPause)
		}
	}
	return unlock, nil
}
