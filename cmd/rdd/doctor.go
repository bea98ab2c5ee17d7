package main

import (
	"github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/doctor"
)

type doctorCmd struct {
	output
}

// Run implements the command.
func (c *doctorCmd) Run(s *session) error {
	report := doctor.Examine(s.ctx, s.patient())
	var err error
	if c.json() {
		err = s.printJSON(report)
	} else {
		err = report.Print(s.out)
	}
	if err == nil && !report.Healthy {
		err = statusError(exitError)
	}
	return err
}

// patient is the instance, for an examination.
func (s *session) patient() doctor.Patient {
	return doctor.Patient{
		Instance: s.instance, VM: s.vmPaths(), Version: buildVersion(),
		Status: s.manager(func(string) {}).Status,
	}
}
