//go:build linux

package dockersim_test

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// actor is the container that most of the play is about.
const actor = "conf-one"

func tag(source, target string) step {
	return step{"tag " + source + " " + target, func(s *stage) error {
		_, err := s.cli.ImageTag(s.ctx, client.ImageTagOptions{Source: s.id(source), Target: target})
		return err
	}}
}

func rmi(ref string, force bool) step {
	return step{fmt.Sprintf("rmi %s %t", ref, force), func(s *stage) error {
		_, err := s.cli.ImageRemove(s.ctx, s.id(ref), client.ImageRemoveOptions{Force: force, PruneChildren: true})
		return err
	}}
}

func create(name, image string) step {
	return step{"create " + name, func(s *stage) error { return s.create(name, image) }}
}

// broken is a container whose program is missing.
const broken = "conf-broken"

// missing is the beginning of the engine's message.
const missing = "OCI runtime create failed"

func createBroken() step {
	return step{"create " + broken, func(s *stage) error {
		err := s.create(broken, "conf/two:1", "/bin/missing")
		if err == nil && s.failStart != nil {
			err = s.failStart(broken)
		}
		return err
	}}
}

func startBroken() step {
	return step{"start " + broken, func(s *stage) error {
		_, err := s.cli.ContainerStart(s.ctx, broken, client.ContainerStartOptions{})
		if err != nil && strings.Contains(err.Error(), missing) {
			// The real message continues with that of runc.
			return fmt.Errorf("%s: %w", missing, errdefs.ErrInvalidArgument)
		}
		return err
	}}
}

func start() step {
	return step{"start", func(s *stage) error {
		before, err := s.container(actor)
		if err != nil {
			return err
		}
		if _, err = s.cli.ContainerStart(s.ctx, actor, client.ContainerStartOptions{}); err != nil || before.Status.PID != 0 {
			return err
		}
		return s.obeys(actor)
	}}
}

func stop() step {
	return step{"stop", func(s *stage) error {
		_, err := s.cli.ContainerStop(s.ctx, actor, client.ContainerStopOptions{})
		return err
	}}
}

func kill() step {
	return step{"kill", func(s *stage) error {
		if _, err := s.cli.ContainerKill(s.ctx, actor, client.ContainerKillOptions{}); err != nil {
			return err
		}
		return until("the end of a killed container", func() (bool, error) {
			c, err := s.container(actor)
			return err == nil && c.Status.Status == "exited", err
		})
	}}
}

func pause() step {
	return step{"pause", func(s *stage) error {
		_, err := s.cli.ContainerPause(s.ctx, actor, client.ContainerPauseOptions{})
		return err
	}}
}

func unpause() step {
	return step{"unpause", func(s *stage) error {
		_, err := s.cli.ContainerUnpause(s.ctx, actor, client.ContainerUnpauseOptions{})
		return err
	}}
}

func restart() step {
	return step{"restart", func(s *stage) error {
		if _, err := s.cli.ContainerRestart(s.ctx, actor, client.ContainerRestartOptions{}); err != nil {
			return err
		}
		return s.obeys(actor)
	}}
}

func rename(from, to string) step {
	return step{"rename " + from + " " + to, func(s *stage) error {
		_, err := s.cli.ContainerRename(s.ctx, from, client.ContainerRenameOptions{NewName: to})
		return err
	}}
}

func remove(name string, force bool) step {
	return step{fmt.Sprintf("rm %s %t", name, force), func(s *stage) error {
		_, err := s.cli.ContainerRemove(s.ctx, name, client.ContainerRemoveOptions{Force: force})
		return err
	}}
}

func volume(name string) step {
	return step{"volume create " + name, func(s *stage) error {
		_, err := s.cli.VolumeCreate(s.ctx, client.VolumeCreateOptions{Name: name})
		return err
	}}
}

func rmVolume(name string, force bool) step {
	return step{fmt.Sprintf("volume rm %s %t", name, force), func(s *stage) error {
		_, err := s.cli.VolumeRemove(s.ctx, name, client.VolumeRemoveOptions{Force: force})
		return err
	}}
}
