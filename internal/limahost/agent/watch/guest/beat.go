package guest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// ErrSilent reports that the guest did not answer a request.
var ErrSilent = errors.New("the guest is silent")

const (
	// askInterval is the number of ticks between two requests for a heartbeat, and
	// diskInterval between two requests that measure the disk's space.
	askInterval, diskInterval = 2, 10
	// maxSilence is the number of ticks without any received byte after which the guest
	// counts as silent.
	maxSilence = 6
	// maxLine limits a line of the guest's answers, in bytes.
	maxLine = 4096
)

// script is a shell script that answers each line with a heartbeat. It ends with the
// connection, from which it reads. It must not contain single quotes.
const script = `read -r boot </proc/sys/kernel/random/boot_id
disk="0 0 0"
while read -r what; do
  read -r up rest </proc/uptime
  if [ "$what" = disk ]; then disk=$(stat -f -c "%S %b %f" "$data" 2>/dev/null || stat -f -c "%S %b %f" /); fi
  echo "rdd-beat $boot $up $disk"
done`

// watch returns the reason when the connection fails. Any received byte is a sign of
// life, so that a guest that is busy sending does not count as silent. Time is counted
// in ticks and not by a clock, so that the guest has time to answer after this process or
// the whole machine was suspended.
func (l *Link) watch(ctx context.Context, c *Conn) error {
	requests := make(chan string, 1)
	failed := make(chan error, 2)
	go func() { failed <- c.client.Wait() }()
	after := l.cfg.HeartbeatAfter
	if after == nil {
		now := make(chan struct{})
		close(now)
		after = now
	}
	ticker := time.NewTicker(l.cfg.tick())
	defer ticker.Stop()
	received, silent := c.raw.received.Load(), 0
	for count := 1; ; count++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-failed:
			if err == nil {
				err = errors.New("the guest closed the connection")
			}
			return err
		case <-after:
			after = nil
			requests <- "disk"
			go func() { failed <- l.beat(c, requests) }()
			continue
		case <-ticker.C:
		}
		if now := c.raw.received.Load(); now != received {
			received, silent = now, 0
		} else if silent++; silent >= maxSilence {
			return ErrSilent
		}
		switch {
		case count%askInterval != 0:
		case after == nil:
			request(requests, count)
		default:
			go func() { _, _, _ = c.client.SendRequest("keepalive@openssh.com", true, nil) }()
		}
	}
}

// request requests a heartbeat, unless the last request is still waiting.
func request(requests chan<- string, count int) {
	what := "beat"
	if count%diskInterval == 0 {
		what = "disk"
	}
	select {
	case requests <- what:
	default:
	}
}

// beat runs the script in the guest until the connection ends.
func (l *Link) beat(c *Conn, requests <-chan string) error {
	program, err := c.Start("exec env data=" + l.cfg.DataDir + " /bin/sh -c '" + script + "'")
	if err != nil {
		return fmt.Errorf("start the heartbeat in the guest: %w", err)
	}
	defer program.Close()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case what := <-requests:
				if _, err := program.In.Write([]byte(what + "\n")); err != nil {
					return
				}
			case <-ended:
				return
			}
		}
	}()
	lines := bufio.NewScanner(program.Out)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		// A login script of the guest may print lines too.
		if beat, ok := parseBeat(lines.Text(), time.Now()); ok {
			l.hooks.Beat(beat)
		}
	}
	return errors.New("the heartbeat in the guest ended")
}

// maxUptime is more than any guest has been up, in seconds.
const maxUptime = 1e9

// parseBeat parses a heartbeat. It accepts no impossible values, because the guest may
// be of any image.
func parseBeat(line string, now time.Time) (limahost.Guest, bool) {
	fields := strings.Fields(line)
	if len(fields) != 6 || fields[0] != "rdd-beat" {
		return limahost.Guest{}, false
	}
	uptime, err := strconv.ParseFloat(fields[2], 64)
	if err != nil || !(uptime >= 0 && uptime <= maxUptime) { // NaN is neither
		return limahost.Guest{}, false
	}
	var numbers [3]int64
	for i := range numbers {
		if numbers[i], err = strconv.ParseInt(fields[3+i], 10, 64); err != nil {
			return limahost.Guest{}, false
		}
	}
	block, total, free := numbers[0], numbers[1], numbers[2]
	if block < 0 || free < 0 || free > total || block > 0 && total > math.MaxInt64/block {
		return limahost.Guest{}, false
	}
	return limahost.Guest{
		At: now, BootID: fields[1], Uptime: time.Duration(uptime * float64(time.Second)),
		DiskSize: block * total, DiskFree: block * free,
	}, true
}
