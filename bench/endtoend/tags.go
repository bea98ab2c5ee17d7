package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// tagAll adds tags to images: new tags by existing ones.
//
// An engine with a graph driver writes all its tags for each new one, so that ten
// thousand take minutes. It keeps them in one file, which is written here while the
// engine is down. Any other engine gets one request for each tag.
func (d *testEngine) tagAll(ctx context.Context, tags map[string]string) error {
	files, err := filepath.Glob(filepath.Join(d.DataRoot(), "image", "*", "repositories.json"))
	if err != nil {
		return err
	}
	if len(files) == 1 {
		return d.tagFile(ctx, files[0], tags)
	}
	jobs, making := errgroup.WithContext(ctx)
	jobs.SetLimit(parallel)
	for to, from := range tags {
		repo, tag, _ := strings.Cut(to, ":")
		jobs.Go(func() error { return d.Tag(making, from, repo, tag) })
	}
	return jobs.Wait()
}

func (d *testEngine) tagFile(ctx context.Context, file string, tags map[string]string) error {
	if err := d.Down(syscall.SIGTERM); err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("tag images: %w", err)
	}
	if text, err = withTags(text, tags); err != nil {
		return err
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("tag images: %w", err)
	}
	_, err = d.Up(ctx)
	return err
}

// withTags adds tags to the text of a graph driver's repositories.json: image
// IDs by tag by repository.
func withTags(text []byte, tags map[string]string) ([]byte, error) {
	var file struct{ Repositories map[string]map[string]string }
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("tag images: %w", err)
	}
	idOf := func(tag string) string {
		repo, _, _ := strings.Cut(tag, ":")
		return file.Repositories[repo][tag]
	}
	for to, from := range tags {
		id, repo := idOf(from), strings.Split(to, ":")[0]
		if id == "" {
			return nil, fmt.Errorf("tag images: there is no %s", from)
		}
		if file.Repositories[repo] == nil {
			file.Repositories[repo] = map[string]string{}
		}
		file.Repositories[repo][to] = id
	}
	return json.Marshal(file)
}
