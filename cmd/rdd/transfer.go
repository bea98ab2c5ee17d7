package main

import (
	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
)

type pullCmd struct {
	output
	Image string `arg:"" help:"Image to pull, such as nginx:1.27."`
	Quiet bool   `short:"q" help:"Show no progress."`

	Platform string `help:"Pull the image of this platform, such as linux/arm64." placeholder:"OS/ARCH"`
}

// Run implements the command.
func (c *pullCmd) Run(s *session) error {
	r := &containersv1.ImagePullRequest{}
	r.Spec.Image, r.Spec.Platform = c.Image, c.Platform
	return s.transfer(r, c.Quiet, c.output)
}

type pushCmd struct {
	output
	Image string `arg:"" predictor:"image" help:"Tag of the image to push, including the registry, such as registry.example.com/team/app:1."`
	Quiet bool   `short:"q" help:"Show no progress."`
}

// Run implements the command.
func (c *pushCmd) Run(s *session) error {
	r := &containersv1.ImagePushRequest{}
	r.Spec.Image = c.Image
	return s.transfer(r, c.Quiet, c.output)
}

// transfer carries out a pull or a push, and shows its layers on standard error.
func (s *session) transfer(r containersv1.Request, quiet bool, o output) error {
	var shown *progress.Bars
	done, err := s.carryOut(r, func(now containersv1.Request) {
		switch {
		case quiet:
		case shown == nil:
			shown = progress.NewBars(s.err)
			fallthrough
		default:
			shown.Show(barsOf(now))
		}
	})
	if shown != nil {
		shown.Close()
	}
	if err != nil {
		return err
	}
	return s.show(o, done, s.say("%s", done.CommonStatus().Message))
}

// barsOf returns a bar for each layer, or what the request waits for.
func barsOf(r containersv1.Request) []progress.Bar {
	status := r.CommonStatus()
	if status.Progress == nil {
		if finished := status.CompletedAt != nil; finished || status.Message == "" {
			return nil
		}
		return []progress.Bar{{Status: status.Message}}
	}
	bars := make([]progress.Bar, 0, len(status.Progress.Items))
	for _, layer := range status.Progress.Items {
		bars = append(bars, progress.Bar{
			Name: layer.ID, Status: layer.Status, Current: layer.Bytes, Total: layer.TotalBytes, Done: layer.Done,
		})
	}
	return bars
}
