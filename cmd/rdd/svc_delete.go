package main

import (
	"errors"
	"fmt"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/inventory"
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/progress"
)

type svcDeleteCmd struct {
	output
	confirmation
	stopFlags
}

// Run implements the command.
func (c *svcDeleteCmd) Run(s *session) error {
	files := loadClientFiles(s.instance).withCurrent(s.instance)
	err := s.mustExist()
	if _, missing := errors.AsType[*missingError](err); missing {
		// A bridge, a unit or a docker context can remain of an instance whose directories
		// a user removed.
		s.withdraw(files)
		return errors.Join(err, s.engine(func(string) {}).Delete(s.ctx), s.removeAutostart())
	}
	if err != nil {
		return err
	}
	err = s.confirm(c.confirmation, func() loss {
		return loss{
			what:    fmt.Sprintf("this deletes instance %q with its settings, and", s.instance.Name),
			parts:   s.inventory(inventory.All).Lines(),
			command: "rdd svc delete",
		}
	})
	if err != nil {
		return err
	}
	shown := progress.New(s.err)
	defer shown.Close()
	left, err := s.manager(shown.Update).Delete(s.ctx, c.Timeout)
	if err != nil {
		return err
	}
	shown.Close()
	s.withdraw(files)
	if err := s.removeAutostart(); err != nil {
		return fmt.Errorf("instance %q was deleted, but its autostart entry could not be removed: %w: run 'rdd svc uninstall'", s.instance.Name, err)
	}
	result := struct {
		Instance string `json:"instance"`
		// Left are the targets of links, which are kept.
		Left []string `json:"left,omitempty"`
	}{s.instance.Name, left}
	return s.show(c.output, result, func() error {
		text := fmt.Sprintf("instance %q was deleted", s.instance.Name)
		for _, path := range left {
			fmt.Fprintf(s.out, "not removed, because it is the target of a link: %s\n", path)
		}
		if len(left) > 0 {
			text += ", except for the paths above"
		}
		return s.say("%s", text)()
	})
}

type svcResetCmd struct {
	output
	confirmation
	stopFlags
}

// Run implements the command.
func (c *svcResetCmd) Run(s *session) error {
	if err := s.mustExist(); err != nil {
		return err
	}
	args, err := savedArgs(s.instance)
	if err != nil {
		return err
	}
	err = s.confirm(c.confirmation, func() loss {
		return loss{
			what:    fmt.Sprintf("this removes the settings of instance %q, and", s.instance.Name),
			parts:   s.inventory(inventory.Data).Lines(),
			command: "rdd svc reset",
		}
	})
	if err != nil {
		return err
	}
	shown := progress.New(s.err)
	defer shown.Close()
	ran, err := s.manager(shown.Update).Reset(s.ctx, c.Timeout)
	if err != nil {
		return err
	}
	shown.Close()
	if !ran {
		return s.show(c.output, map[string]string{"instance": s.instance.Name}, s.say("instance %q was reset", s.instance.Name))
	}
	if !c.structured() {
		fmt.Fprintf(s.out, "instance %q was reset\n", s.instance.Name)
	}
	return s.startDaemon(args, startTimeout, c.output)
}
