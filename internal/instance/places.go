package instance

import (
	"path/filepath"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
)

// dataPlaces returns the places that a reset empties.
func (i Instance) dataPlaces() []Place {
	home := LimaHome(i.LimaHome)
	home.owner = i.Dir
	return []Place{
		{
			path: i.DataDir, root: i.Dir, owner: i.Name, inner: true,
			patterns: append(replacedFiles(filename.Datastore, filename.Ballast, filename.HubRequests),
				filename.Engine, filename.NewBallast,
				filename.Datastore+"-*", filename.Datastore+".*"),
		},
		home,
	}
}

// LimaHome returns the place of the instance's VMs.
func LimaHome(path string) Place {
	patterns := replacedFiles(filename.HostAgentConfig, filename.Acceleration, filename.Resets, filename.End)
	return Place{path: path, root: filepath.Dir(path), inner: true, patterns: append(patterns,
		filename.VM, filename.LimaConfig, filename.LimaCache, filename.LimaDisks, filename.LimaNetworks,
		filename.Scratch, filename.GuestAgents, filename.Making, "hostagent.*")}
}

// LogNames returns patterns for the log of the given name and its rotations: those of
// lumberjack, which have a time in the name, and the one with the suffix ".1". See
// filepath.Match.
func LogNames(name string) []string {
	ext := filepath.Ext(name)
	digits := strings.NewReplacer("0", "[0-9]").Replace("-0000-00-00T00-00-00.000")
	return []string{name, name + ".1", strings.TrimSuffix(name, ext) + digits + ext}
}

// allPlaces returns all places, inner ones before the ones that contain them.
func (i Instance) allPlaces() []Place {
	places := append(i.dataPlaces(), Place{
		path: i.TLSDir, root: i.Dir, owner: i.Name, inner: true,
		patterns: append(replacedFiles(filename.Certificate, filename.Key, filename.Token, filename.ReadOnlyToken, filename.Port, filename.Revision,
			filename.PagePort, filename.PageSessions, filename.HubKubeconfig, filename.HubToken), filename.HubToken+".*", "."+filename.HubToken+".*"),
	})
	places = append(places, i.logPlaces()...)
	// Dir is last: the instance exists until Dir is removed.
	return append(places,
		Place{path: i.ShortDir, root: i.ShortDir, owner: i.Dir, patterns: append(replacedFiles(filename.Owner),
			filename.Engine, filename.DockerSocket, filename.ContainerdSocket, filename.ContainerdTTRPCSocket)},
		Place{path: i.Dir, root: i.Dir, owner: i.Name, patterns: append(
			replacedFiles(filename.Owner, filename.Config, filename.Args, filename.Run, filename.Clients),
			filename.Pid, filename.KubectlCache)},
	)
}

// logPlaces returns the places of the logs.
func (i Instance) logPlaces() []Place {
	hasStateDir := i.hasStateDir()
	logs := Place{path: i.LogDir, inner: hasStateDir}
	for _, name := range []string{
		filename.DaemonLog, filename.DaemonStderr, filename.DockerdLog, filename.ContainerdLog, filename.HostAgentLog,
	} {
		logs.patterns = append(logs.patterns, LogNames(name)...)
	}
	if !hasStateDir {
		return []Place{logs}
	}
	return []Place{logs, {path: filepath.Dir(i.LogDir)}}
}

// hasStateDir reports whether the directory that contains LogDir is the instance's own.
func (i Instance) hasStateDir() bool { return filepath.Base(i.LogDir) == "logs" }

// replacedFiles returns patterns for files that are written by renaming a temporary
// file, and for these temporary files.
func replacedFiles(names ...string) []string {
	var patterns []string
	for _, name := range names {
		patterns = append(patterns, name, "."+name+".*", "."+name+"-*")
	}
	return patterns
}

// CacheDir is the directory in which 'rdd ctl' caches the discovery of the API.
func (i Instance) CacheDir() string { return filepath.Join(i.Dir, filename.KubectlCache) }
