package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/instance/filename"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/virtiofs"
)

// virtiofsdCmd shares directories with a VM. The host agent starts this command, writes
// the directories to its standard input, and closes that when QEMU is connected. The VM
// cannot read the directories of the user's instances, with which it could control rdd.
type virtiofsdCmd struct {
	Dir string `arg:"" help:"Lima home directory of the VM, for the list of processes." placeholder:"DIR"`
}

// Run serves until the VM's QEMU ends.
func (*virtiofsdCmd) Run(s *session) error {
	input := json.NewDecoder(s.in)
	var shares []virtiofs.Share
	if err := input.Decode(&shares); err != nil {
		return fmt.Errorf("read the directories from standard input: %w", err)
	}
	if err := virtiofs.LimitMemory(); err != nil {
		return err
	}
	dirs, err := instance.PrivateDirs()
	if err != nil {
		return err
	}
	private := virtiofs.Private{Dirs: dirs, Prefixes: instance.DirPrefixes(), Marker: filename.Owner}
	ended := make(chan error, 1)
	go func() { ended <- virtiofs.Serve(shares, private, io.MultiReader(input.Buffered(), s.in)) }()
	select {
	case err := <-ended:
		return err
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}
