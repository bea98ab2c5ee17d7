package main

import (
	"regexp"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
)

// quotedCommand matches the beginning of an rdd command in a text, such as
// 'rdd svc start'. A command that has flags before its name stays as is.
var quotedCommand = regexp.MustCompile(`'rdd ([a-z])`)

// typeable returns a text whose rdd commands a user can type as they are: each gets
// --instance, unless rdd uses this instance without the flag. The daemon and the
// packages below write these texts without the name of the instance.
func typeable(text string, inst instance.Instance) string {
	if inst.Name == "" {
		return text
	}
	if usual, err := instance.New(""); err == nil && usual.Name == inst.Name {
		return text
	}
	return quotedCommand.ReplaceAllString(text, "'rdd --instance "+inst.Name+" $1")
}

// typeable returns a text whose rdd commands are for the instance of the session.
func (s *session) typeable(text string) string { return typeable(text, s.instance) }
