package bundle

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// archive writes a tar.gz. A tar header needs the size of a file, which is known
// only after redaction, so each file is written to scratch first.
type archive struct {
	zip      *gzip.Writer
	tar      *tar.Writer
	scratch  string
	root     string
	redactor *redactor
	manifest Manifest
}

func newArchive(out io.Writer, scratch string, r *redactor, s Subject) *archive {
	now := time.Now()
	// A user waits for the bundle, so speed matters more than size.
	zip, _ := gzip.NewWriterLevel(out, gzip.BestSpeed) // it fails for unknown levels only
	return &archive{
		zip: zip, tar: tar.NewWriter(zip), scratch: scratch, redactor: r,
		root:     strings.TrimSuffix(Name(s.Instance.Name, now), ".tar.gz"),
		manifest: Manifest{Instance: s.Instance.Name, Version: s.Version, Time: now.UTC().Round(time.Millisecond)},
	}
}

// text adds a collected part.
func (a *archive) text(p collected) error {
	entry := Entry{Name: p.name, Milliseconds: p.took.Milliseconds()}
	if p.err != nil {
		entry.Error = a.redactor.line(p.err.Error())
	}
	if len(p.text) == 0 {
		if entry.Error == "" {
			entry.Error = "empty"
		}
		a.manifest.Entries = append(a.manifest.Entries, entry)
		return nil
	}
	if over := len(p.text) - MaxFile; over > 0 {
		p.text, entry.Cut = p.text[over:], int64(over)
	}
	return a.add(entry, bytes.NewReader(p.text), time.Now())
}

// file adds a file of the instance, or an entry with the error.
func (a *archive) file(ctx context.Context, file source) error {
	began := time.Now()
	entry := Entry{Name: a.redactor.line(file.name)}
	fail := func(err error) error {
		entry.Error = a.redactor.line(err.Error())
		a.manifest.Entries = append(a.manifest.Entries, entry)
		return nil
	}
	if ctx.Err() != nil {
		return fail(errors.New("not collected within the time limit"))
	}
	f, err := os.Open(file.path)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	if entry.Cut = max(0, info.Size()-MaxFile); entry.Cut > 0 {
		if _, err := f.Seek(entry.Cut, io.SeekStart); err != nil {
			return fail(err)
		}
	}
	entry.Milliseconds = time.Since(began).Milliseconds()
	// The file can grow; what is written from now on is left out.
	return a.add(entry, io.LimitReader(f, info.Size()-entry.Cut), info.ModTime())
}

// add redacts a file and writes it to the archive.
func (a *archive) add(entry Entry, from io.Reader, modified time.Time) (err error) {
	spool, err := os.CreateTemp(a.scratch, "part-*")
	if err != nil {
		return err
	}
	defer func() {
		_ = spool.Close()
		_ = os.Remove(spool.Name())
	}()
	if err := a.redactor.copy(spool, from); err != nil {
		entry.Error = strings.TrimPrefix(entry.Error+"; "+err.Error(), "; ")
	}
	if entry.Bytes, err = spool.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	a.manifest.Entries = append(a.manifest.Entries, entry)
	return a.put(entry.Name, entry.Bytes, modified, spool)
}

// put writes one file to the archive.
func (a *archive) put(name string, size int64, modified time.Time, from io.Reader) error {
	header := &tar.Header{
		Typeflag: tar.TypeReg, Name: filepath.ToSlash(filepath.Join(a.root, name)),
		Mode: 0o600, Size: size, ModTime: modified,
	}
	if err := a.tar.WriteHeader(header); err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	if _, err := io.Copy(a.tar, from); err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	return nil
}

// close writes the manifest and ends the archive.
func (a *archive) close() error {
	text, err := json.MarshalIndent(a.manifest, "", "  ")
	if err == nil {
		err = a.put("manifest.json", int64(len(text)), a.manifest.Time, bytes.NewReader(text))
	}
	return errors.Join(err, a.tar.Close(), a.zip.Close())
}
