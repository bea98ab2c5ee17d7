package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/dockercontext"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/kubemerge"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/userfile"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// clientFiles are the configurations of other programs that name an instance. They are
// recorded, because the variables that select them can differ when the instance is
// deleted.
type clientFiles struct {
	// DockerConfigs are configuration directories of docker.
	DockerConfigs []string `json:"dockerConfigs,omitempty"`
	// Kubeconfigs are files.
	Kubeconfigs []string `json:"kubeconfigs,omitempty"`
}

func clientFilesPath(inst instance.Instance) string { return filepath.Join(inst.Dir, filename.Clients) }

// loadClientFiles returns the recorded files; none if the record is missing or damaged.
func loadClientFiles(inst instance.Instance) clientFiles {
	var files clientFiles
	text, err := os.ReadFile(clientFilesPath(inst))
	if err != nil || json.Unmarshal(text, &files) != nil {
		return clientFiles{}
	}
	return files
}

// recordClientFiles adds to the record. It writes nothing if the record has all already,
// or if the instance has no directory.
func recordClientFiles(inst instance.Instance, add clientFiles) error {
	if _, changed := loadClientFiles(inst).with(add); !changed || !inst.Exists() {
		return nil
	}
	if err := userfile.CheckOwner(inst.Dir); err != nil {
		return fmt.Errorf("record where the instance was added: %w", err)
	}
	return userfile.Locked(inst.Dir, func() error {
		all, _ := loadClientFiles(inst).with(add)
		text, err := json.MarshalIndent(all, "", "  ")
		if err == nil {
			err = instance.ReplaceFile(clientFilesPath(inst), append(text, '\n'))
		}
		if err != nil {
			return fmt.Errorf("record where the instance was added: %w", err)
		}
		return nil
	})
}

func (f clientFiles) with(add clientFiles) (all clientFiles, changed bool) {
	docker, moreDocker := union(f.DockerConfigs, add.DockerConfigs)
	kube, moreKube := union(f.Kubeconfigs, add.Kubeconfigs)
	return clientFiles{DockerConfigs: docker, Kubeconfigs: kube}, moreDocker || moreKube
}

func union(list, add []string) (all []string, changed bool) {
	all = slices.Clone(list)
	for _, path := range add {
		if !slices.Contains(all, path) {
			all, changed = append(all, path), true
		}
	}
	return all, changed
}

// withCurrent adds the files that the environment selects now, if they name the instance.
// A user can have copied them, or removed the record with the instance's directory.
func (f clientFiles) withCurrent(inst instance.Instance) clientFiles {
	var current clientFiles
	if dir, err := dockercontext.Dir(); err == nil {
		found, err := dockercontext.Open(dir).Context(dockercontext.Name(inst))
		if err == nil && found.BelongsTo(inst) {
			current.DockerConfigs = []string{dir}
		}
	}
	if files, err := kubemerge.UserFiles(inst.Dir); err == nil {
		if has, err := entryOf(inst).IsIn(files); has && err == nil {
			current.Kubeconfigs = files
		}
	}
	all, _ := f.with(current)
	return all
}

// entryOf returns what identifies an instance in kubeconfigs.
func entryOf(inst instance.Instance) kubemerge.Entry {
	return kubemerge.EntryFor(inst, dockercontext.Name(inst), "", "")
}

// withdraw removes a deleted instance from the configurations of other programs. What
// cannot be removed is a note, because the instance is gone all the same.
func (s *session) withdraw(files clientFiles) {
	for _, dir := range files.DockerConfigs {
		removed, err := dockercontext.Open(dir).Withdraw(s.instance)
		if removed {
			fmt.Fprintf(s.err, "the docker context %q was removed from %s\n", dockercontext.Name(s.instance), dir)
		}
		s.noteError(err)
	}
	s.withdrawFrom(files.Kubeconfigs)
}

// withdrawFrom removes a deleted instance from kubeconfigs: from all at once, because the
// current context can be in another file than its context, or one by one if a file is
// damaged.
func (s *session) withdrawFrom(kubeconfigs []string) {
	entry := entryOf(s.instance)
	changed, err := kubemerge.Remove(kubeconfigs, entry)
	if err != nil && len(kubeconfigs) > 1 {
		for _, file := range kubeconfigs {
			s.withdrawFrom([]string{file})
		}
		return
	}
	s.noteError(err)
	if err == nil {
		for _, file := range changed {
			fmt.Fprintf(s.err, "the context %q was removed from %s\n", entry.Name, file)
		}
	}
}

// refreshKubeconfigs updates merged kubeconfigs after a start of the daemon, which can
// have chosen another port.
func (s *session) refreshKubeconfigs() {
	files := loadClientFiles(s.instance).Kubeconfigs
	if len(files) == 0 {
		return
	}
	server, err := serverOf(s.instance)
	if err == nil {
		entry := entryOf(s.instance)
		entry.Server = server
		_, err = kubemerge.Refresh(files, entry)
	}
	s.noteError(err)
}

// serverOf returns the URL of the API server in the instance's kubeconfig.
func serverOf(inst instance.Instance) (string, error) {
	config, err := clientcmd.LoadFromFile(inst.Config)
	if err != nil {
		return "", fmt.Errorf("read kubeconfig %s: %w", inst.Config, err)
	}
	for _, cluster := range config.Clusters {
		return cluster.Server, nil
	}
	return "", fmt.Errorf("kubeconfig %s has no cluster: 'rdd svc restart' writes a new one", inst.Config)
}
