package dockertest

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"debug/elf"
	"encoding/json"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/moby/moby/client"
)

// Client is an unrestricted client of the engine at an endpoint.
func Client(tb testing.TB, endpoint string) *client.Client {
	tb.Helper()
	cli, err := client.New(client.WithHost(endpoint))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = cli.Close() })
	return cli
}

// Import makes an image that can run a shell where the machine has a static
// busybox, and an empty one elsewhere. An empty ref leaves it untagged. The
// label n makes the IDs of images differ, which would be equal within a second.
func Import(ctx context.Context, tb testing.TB, cli *client.Client, ref, n string) (id string) {
	tb.Helper()
	return importTar(ctx, tb, cli, ref, n, rootFS(tb, CanRun()))
}

func importTar(ctx context.Context, tb testing.TB, cli *client.Client, ref, n string, content []byte) (id string) {
	tb.Helper()
	answer, err := cli.ImageImport(ctx,
		client.ImageImportSource{Source: bytes.NewReader(content), SourceName: "-"}, ref,
		client.ImageImportOptions{Changes: []string{"LABEL n=" + n, `ENV PATH=/bin`}})
	if err != nil {
		tb.Fatalf("import %s: %v", ref, err)
	}
	defer func() { _ = answer.Close() }()
	decoder := json.NewDecoder(answer)
	for {
		var line struct{ Status, Error string }
		if err := decoder.Decode(&line); err != nil {
			if !errors.Is(err, io.EOF) || id == "" {
				tb.Fatalf("import %s: %v", ref, err)
			}
			return id
		}
		if line.Error != "" {
			tb.Fatalf("import %s: %s", ref, line.Error)
		}
		id = line.Status
	}
}

// randomFile returns an archive of one file that cannot be compressed.
func randomFile(tb testing.TB, size int) []byte {
	tb.Helper()
	content := make([]byte, size)
	_, _ = rand.Read(content)
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for _, err := range []error{
		archive.WriteHeader(&tar.Header{Name: "content", Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(size)}),
		second(archive.Write(content)), archive.Close(),
	} {
		if err != nil {
			tb.Fatal(err)
		}
	}
	return buffer.Bytes()
}

func second(_ int, err error) error { return err }

// CanRun reports whether this machine has a static busybox, so that images of Import can
// run a shell.
func CanRun() bool {
	file, err := elf.Open("/bin/busybox")
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }()
	for _, section := range file.Progs {
		if section.Type == elf.PT_INTERP {
			return false
		}
	}
	return true
}

// rootFS returns an archive of a root directory, with a shell or empty.
func rootFS(tb testing.TB, shell bool) []byte {
	tb.Helper()
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	add := func(header *tar.Header, content []byte) {
		header.Size = int64(len(content))
		if err := archive.WriteHeader(header); err != nil {
			tb.Fatal(err)
		}
		if _, err := archive.Write(content); err != nil {
			tb.Fatal(err)
		}
	}
	add(&tar.Header{Name: "bin/", Typeflag: tar.TypeDir, Mode: 0o755}, nil)
	if shell {
		busybox, err := os.ReadFile("/bin/busybox")
		if err != nil {
			tb.Fatal(err)
		}
		add(&tar.Header{Name: "bin/busybox", Typeflag: tar.TypeReg, Mode: 0o755}, busybox)
		for _, name := range []string{"sh", "sleep", "true", "false"} {
			add(&tar.Header{Name: "bin/" + name, Typeflag: tar.TypeSymlink, Linkname: "busybox", Mode: 0o777}, nil)
		}
	}
	if err := archive.Close(); err != nil {
		tb.Fatal(err)
	}
	return buffer.Bytes()
}
