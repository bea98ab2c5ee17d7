package dockertest

import (
	"bytes"
	"io"
	"strconv"
	"time"

	"github.com/moby/moby/client"
)

// ImportImage implements enginetest.Fixture. The image is empty, and so it takes no time.
// Its containers run a program of the host.
func (f *Fixture) ImportImage(tags ...string) string {
	f.tb.Helper()
	ref := ""
	if len(tags) > 0 {
		ref = tags[0]
	}
	id := importTar(f.tb.Context(), f.tb, f.cli, ref, strconv.FormatInt(time.Now().UnixNano(), 10), rootFS(f.tb, false))
	for _, tag := range tags[min(1, len(tags)):] {
		f.TagImage(id, tag)
	}
	return id
}

// ImportLargeImage implements enginetest.Fixture.
func (f *Fixture) ImportLargeImage(tag string, size int) string {
	f.tb.Helper()
	return importTar(f.tb.Context(), f.tb, f.cli, tag, strconv.FormatInt(time.Now().UnixNano(), 10), randomFile(f.tb, size))
}

// SaveImage implements enginetest.Fixture.
func (f *Fixture) SaveImage(tag string) []byte {
	f.tb.Helper()
	archive, err := f.cli.ImageSave(f.tb.Context(), []string{tag})
	f.check("save image "+tag, err)
	defer func() { _ = archive.Close() }()
	content, err := io.ReadAll(archive)
	f.check("save image "+tag, err)
	return content
}

// LoadImage implements enginetest.Fixture.
func (f *Fixture) LoadImage(archive []byte) {
	f.tb.Helper()
	answer, err := f.cli.ImageLoad(f.tb.Context(), bytes.NewReader(archive))
	f.check("load image", err)
	defer func() { _ = answer.Close() }()
	_, err = io.Copy(io.Discard, answer)
	f.check("load image", err)
}

// ImageID implements enginetest.Fixture.
func (f *Fixture) ImageID(tag string) string {
	f.tb.Helper()
	image, err := f.cli.ImageInspect(f.tb.Context(), tag)
	f.check("inspect image "+tag, err)
	return image.ID
}

// TagImage implements enginetest.Fixture.
func (f *Fixture) TagImage(image, tag string) {
	f.tb.Helper()
	_, err := f.cli.ImageTag(f.tb.Context(), client.ImageTagOptions{Source: image, Target: tag})
	f.check("tag image "+tag, err)
}

// RemoveImage implements enginetest.Fixture.
func (f *Fixture) RemoveImage(ref string) {
	f.tb.Helper()
	_, err := f.cli.ImageRemove(f.tb.Context(), ref, client.ImageRemoveOptions{PruneChildren: true})
	f.check("remove image "+ref, err)
}

// CreateVolume implements enginetest.Fixture.
func (f *Fixture) CreateVolume(name string) {
	f.tb.Helper()
	_, err := f.cli.VolumeCreate(f.tb.Context(), client.VolumeCreateOptions{Name: name})
	f.check("create volume "+name, err)
}

// RemoveVolume implements enginetest.Fixture.
func (f *Fixture) RemoveVolume(name string) {
	f.tb.Helper()
	_, err := f.cli.VolumeRemove(f.tb.Context(), name, client.VolumeRemoveOptions{})
	f.check("remove volume "+name, err)
}

// PruneVolumes implements enginetest.Fixture. Engines before API 1.42 prune all volumes
// and refuse the option.
func (f *Fixture) PruneVolumes() {
	f.tb.Helper()
	_, err := f.cli.VolumePrune(f.tb.Context(), client.VolumePruneOptions{All: true})
	if err != nil {
		_, err = f.cli.VolumePrune(f.tb.Context(), client.VolumePruneOptions{})
	}
	f.check("prune volumes", err)
}

// CreateNetwork implements enginetest.Fixture.
func (f *Fixture) CreateNetwork(name string) string {
	f.tb.Helper()
	created, err := f.cli.NetworkCreate(f.tb.Context(), name, client.NetworkCreateOptions{})
	f.check("create network "+name, err)
	return created.ID
}

// RemoveNetwork implements enginetest.Fixture.
func (f *Fixture) RemoveNetwork(id string) {
	f.tb.Helper()
	_, err := f.cli.NetworkRemove(f.tb.Context(), id, client.NetworkRemoveOptions{})
	f.check("remove network", err)
}

// PruneNetworks implements enginetest.Fixture.
func (f *Fixture) PruneNetworks() {
	f.tb.Helper()
	_, err := f.cli.NetworkPrune(f.tb.Context(), client.NetworkPruneOptions{})
	f.check("prune networks", err)
}

// ConnectNetwork implements enginetest.Fixture.
func (f *Fixture) ConnectNetwork(network, id string) {
	f.tb.Helper()
	_, err := f.cli.NetworkConnect(f.tb.Context(), network, client.NetworkConnectOptions{Container: id})
	f.check("connect to a network", err)
}

// DisconnectNetwork implements enginetest.Fixture.
func (f *Fixture) DisconnectNetwork(network, id string) {
	f.tb.Helper()
	_, err := f.cli.NetworkDisconnect(f.tb.Context(), network, client.NetworkDisconnectOptions{Container: id})
	f.check("disconnect from a network", err)
}
