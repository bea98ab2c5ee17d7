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

// ErrSilent says that the guest was asked, and nothing was heard from it.
var ErrSilent = errors.New("the guest is silent")

const (
	// askEvery and diskEvery count ticks: how often the guest is asked for a
	// heartbeat, and how often it is to look at its disk for it.
	askEvery, diskEvery = 2, 10
	// silentAfter counts ticks in which nothing was heard.
	silentAfter = 6
	// longestLine of a guest's answer.
	longestLine = 4096
)

// script answers each line with a heartbeat. Its end is that of the connection,
// because it reads. It has no single quotes.
const script = `read -r boot </proc/sys/kernel/random/boot_id
disk="0 0 0"
while read -r what; do
  read -r up rest </proc/uptime
  if [ "$what" = disk ]; then disk=$(stat -f -c "%S %b %f" "$data" 2>/dev/null || stat -f -c "%S %b %f" /); fi
  echo "rdd-beat $boot $up $disk"
done`

// watch returns why the connection is of no use any more. Any byte from the
// guest is a sign of life, so that a guest that is busy sending is not taken for
// mute. Time is counted in ticks and not by a clock: where this process, or the
// whole machine, was stopped for a while, the guest gets its chance to answer.
func (l *Link) watch(ctx context.Context, c *Conn) error {
	asks := make(chan string, 1)
	failed := make(chan error, 2)
	go func() { failed <- c.client.Wait() }()
	after := l.cfg.After
	if after == nil {
		now := make(chan struct{})
		close(now)
		after = now
	}
	ticker := time.NewTicker(l.cfg.tick())
	defer ticker.Stop()
	heard, silent := c.raw.heard.Load(), 0
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
			asks <- "disk"
			go func() { failed <- l.converse(c, asks) }()
			continue
		case <-ticker.C:
		}
		if now := c.raw.heard.Load(); now != heard {
			heard, silent = now, 0
		} else if silent++; silent >= silentAfter {
			return ErrSilent
		}
		switch {
		case count%askEvery != 0:
		case after == nil:
			ask(asks, count)
		default:
			go func() { _, _, _ = c.client.SendRequest("keepalive@openssh.com", true, nil) }()
		}
	}
}

func ask(asks chan<- string, count int) {
	what := "beat"
	if count%diskEvery == 0 {
		what = "disk"
	}
	select {
	case asks <- what:
	default: // It has not read the last one yet.
	}
}

// converse runs the script in the guest until the connection ends.
func (l *Link) converse(c *Conn, asks <-chan string) error {
	session, err := c.client.NewSession()
	if err != nil {
		return fmt.Errorf("open a session in the guest: %w", err)
	}
	defer func() { _ = session.Close() }()
	in, err := session.StdinPipe()
	if err != nil {
		return err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return err
	}
	if err := session.Start("exec env data=" + l.cfg.DataDir + " /bin/sh -c '" + script + "'"); err != nil {
		return fmt.Errorf("start the heartbeat in the guest: %w", err)
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for {
			select {
			case what := <-asks:
				if _, err := in.Write([]byte(what + "\n")); err != nil {
					return
				}
			case <-ended:
				return
			}
		}
	}()
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		// A login script of the guest may say something too.
		if beat, ok := parseBeat(lines.Text(), time.Now()); ok {
			l.hooks.Beat(beat)
		}
	}
	return errors.New("the heartbeat in the guest ended")
}

// longestUptime is more than any guest has been up, in seconds.
const longestUptime = 1e9

// parseBeat reads a heartbeat. What cannot be one is none: who speaks is any image.
func parseBeat(line string, now time.Time) (limahost.Guest, bool) {
	fields := strings.Fields(line)
	if len(fields) != 6 || fields[0] != "rdd-beat" {
		return limahost.Guest{}, false
	}
	uptime, err := strconv.ParseFloat(fields[2], 64)
	if err != nil || !(uptime >= 0 && uptime <= longestUptime) { // NaN is neither
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
