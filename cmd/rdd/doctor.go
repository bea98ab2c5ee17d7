package main

import (
	"fmt"
	"strings"

	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/doctor"
)

type doctorCmd struct {
	output
}

// Run implements the command.
func (c *doctorCmd) Run(s *session) error {
	report := doctor.Examine(s.ctx, s.doctorTarget())
	err := s.ctx.Err() // the checks that a signal ended say nothing about the instance
	if err != nil {
		return err
	}
	err = s.show(c.output, report, func() error {
		var text strings.Builder
		err := report.Print(&text)
		fmt.Fprint(s.out, s.typeable(text.String()))
		return err
	})
	if err == nil && !report.Healthy {
		err = statusError(exitError)
	}
	return err
}

// doctorTarget returns the instance as the doctor checks it.
func (s *session) doctorTarget() doctor.Target {
	return doctor.Target{
		Instance: s.instance, VM: s.vmPaths(), Version: buildVersion(),
		Status: s.manager(func(string) {}).Status,
	}
}
