package ui

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"
)

// treePath is the path of the watch of the supervision tree.
const treePath = "/tree"

// probePath is the path of a watch that ends at once. A page asks for it when it has received
// nothing for a while, to notice a daemon that hangs.
const probePath = "/ping"

// maxID is the largest integer that JavaScript has exactly.
const maxID = 1<<53 - 1

// command is a message of a page: it begins the watch ID, or stops it.
type command struct {
	// ID is chosen by the page. It is in use until the watch has ended.
	ID int64 `json:"id"`
	// Path is a watch of the API, with its query, treePath or probePath.
	Path string `json:"path,omitempty"`
	// Accept is a media type, for metadata only or for a table; empty is application/json.
	Accept string `json:"accept,omitempty"`
	Stop   bool   `json:"stop,omitempty"`
}

// parseCommand returns a command. An error means that the client is not the page.
func parseCommand(text []byte) (command, error) {
	var c command
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return c, fmt.Errorf("the message is no command: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return c, errors.New("the message has more than one command")
	}
	switch {
	case c.ID < 1 || c.ID > maxID:
		return c, fmt.Errorf("the id %d is not between 1 and %d", c.ID, int64(maxID))
	case c.Stop == (c.Path != ""):
		return c, errors.New("a command has either a path or stop")
	case c.Accept != "" && !strings.HasPrefix(c.Accept, "application/json"):
		return c, errors.New("the events of a watch are JSON")
	}
	return c, nil
}

// watchURL returns the address of a watch of the API.
func watchURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the path of a watch: %w", err)
	}
	isAPI := strings.HasPrefix(u.Path, "/api/") || strings.HasPrefix(u.Path, "/apis/")
	if u.Scheme != "" || u.Host != "" || u.Opaque != "" || u.User != nil || u.Fragment != "" || !isAPI || path.Clean(u.Path) != u.Path {
		return nil, fmt.Errorf("%q is no path of the API", text)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("the query of a watch: %w", err)
	}
	if watch := query["watch"]; len(watch) != 1 || watch[0] != "1" && watch[0] != "true" {
		return nil, fmt.Errorf("%q is no watch: it needs the parameter watch=1", text)
	}
	return u, nil
}
