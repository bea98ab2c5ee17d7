package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/client"
)

type logsCmd struct {
	Name       string `arg:"" predictor:"container" help:"Name of a container, a prefix of its ID, or the name of its resource."`
	Follow     bool   `short:"f" help:"Follow the log until the container ends."`
	Tail       *int64 `short:"n" aliases:"lines" placeholder:"N" help:"Number of lines from the end. Default: all."`
	Since      string `placeholder:"TIME" help:"Lines since a time (RFC 3339), or of the last duration, such as 10m."`
	Timestamps bool   `short:"t" help:"Show the time of each line."`
	Stream     string `enum:"both,stdout,stderr" default:"both" help:"Stream to show: both, stdout or stderr."`
}

// Run implements the command.
func (c *logsCmd) Run(s *session) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	streams, container, err := s.container(c.Name)
	if err != nil {
		return err
	}
	err = streams.Log(s.ctx, container, query, s.out)
	if _, isBroken := errors.AsType[*client.BrokenError](err); isBroken {
		return statusError(exitError) // the last line of the log has the reason
	}
	return err
}

func (c *logsCmd) query() (url.Values, error) {
	query := url.Values{}
	if c.Follow {
		query.Set("follow", "true")
	}
	if c.Timestamps {
		query.Set("timestamps", "true")
	}
	if c.Tail != nil {
		if *c.Tail < 0 {
			return nil, &usageError{fmt.Sprintf("--tail=%d: use 0 or more", *c.Tail)}
		}
		query.Set("tailLines", strconv.FormatInt(*c.Tail, 10))
	}
	if c.Stream != "both" && c.Stream != "" {
		query.Set("stream", c.Stream)
	}
	if c.Since == "" {
		return query, nil
	}
	if age, err := time.ParseDuration(c.Since); err == nil && age >= time.Second {
		query.Set("sinceSeconds", strconv.FormatInt(int64(age/time.Second), 10))
	} else if at, err := time.Parse(time.RFC3339Nano, c.Since); err == nil {
		query.Set("sinceTime", at.Format(time.RFC3339Nano))
	} else {
		return nil, &usageError{fmt.Sprintf("--since=%s: use a duration of a second or more, such as 10m, or a time such as 2026-01-02T15:04:05Z", c.Since)}
	}
	return query, nil
}

// container finds a container by what a user types, and returns the client of its
// streams.
func (s *session) container(name string) (*client.Streams, *containersv1.Container, error) {
	daemon, streams, err := s.streams()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, queryTimeout)
	defer cancel()
	found, err := daemon.Container(ctx, name)
	return streams, found, err
}

// streams returns the clients of the running daemon.
func (s *session) streams() (*client.Client, *client.Streams, error) {
	daemon, err := s.runningClient()
	if err != nil {
		return nil, nil, err
	}
	config, err := client.Config(s.instance)
	if err != nil {
		return nil, nil, err
	}
	streams, err := client.NewStreams(config)
	return daemon, streams, err
}
