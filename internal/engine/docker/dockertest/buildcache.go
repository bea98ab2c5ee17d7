package dockertest

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/client"
)

// MakeBuildCache implements enginetest.Fixture. The second step is built on the first.
func (f *Fixture) MakeBuildCache() {
	f.tb.Helper()
	var content bytes.Buffer
	archive := tar.NewWriter(&content)
	unique := strconv.FormatInt(time.Now().UnixNano(), 10)
	for name, text := range map[string]string{
		"Dockerfile": "FROM scratch\nCOPY one /one\nCOPY two /two\n", "one": "one " + unique, "two": "two " + unique,
	} {
		f.check("write "+name, archive.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(text))}))
		f.check("write "+name, second(archive.Write([]byte(text))))
	}
	f.check("write the context", archive.Close())
	answer, err := f.cli.ImageBuild(f.tb.Context(), &content, client.ImageBuildOptions{Version: build.BuilderBuildKit})
	f.check("build", err)
	defer func() { _ = answer.Body.Close() }()
	decoder := json.NewDecoder(answer.Body)
	for {
		var line struct{ Error string }
		err := decoder.Decode(&line)
		switch {
		case errors.Is(err, io.EOF):
			return
		case err != nil || line.Error != "":
			f.tb.Fatalf("build: %v %s", err, line.Error)
		}
	}
}

// purgeBuildCache empties the build cache.
func (f *Fixture) purgeBuildCache(ctx context.Context) {
	f.tb.Helper()
	if f.hasBuildCache(ctx) {
		_, err := f.cli.BuildCachePrune(ctx, client.BuildCachePruneOptions{All: true})
		f.check("prune the build cache", err)
	}
}

func (f *Fixture) hasBuildCache(ctx context.Context) bool {
	usage, err := f.cli.DiskUsage(ctx, client.DiskUsageOptions{BuildCache: true, Verbose: true})
	return err == nil && len(usage.BuildCache.Items) > 0
}
