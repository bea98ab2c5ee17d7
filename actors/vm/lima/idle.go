package lima

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/actors/vm"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/forward"
)

var _ vm.Idler = (*Driver)(nil)

// LastUse implements vm.Idler. The host agent counts the connections.
func (d *Driver) LastUse(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	status, err := d.client.Status(ctx, 0)
	if err != nil {
		return time.Time{}, err
	}
	if status.Clients == nil {
		return time.Time{}, errors.New("the VM's host agent is of an earlier version, which does not count connections: run 'rdd vm restart'")
	}
	var last time.Time
	for _, client := range status.Clients {
		switch {
		case client.PID == os.Getpid() && client.PID != 0:
		case client.Open > 0:
			return time.Now(), nil
		case client.Used.After(last):
			last = client.Used
		}
	}
	return last, nil
}

// Hold implements vm.Idler.
func (d *Driver) Hold(needed func()) (vm.Hold, error) {
	hold, err := forward.OpenHold(d.cfg.Socket, needed, d.log)
	if err != nil {
		return nil, err
	}
	return hold, nil
}
