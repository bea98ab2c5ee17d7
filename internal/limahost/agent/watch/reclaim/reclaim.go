// Package reclaim returns memory and disk space to the host that a guest no longer uses.
//
// A guest reports free memory itself, by the virtio-balloon device that package machine
// adds. But its page cache is not free memory, and its file system reports free blocks
// only when it is trimmed. So this package follows the use of both, and drops the cache
// and trims the file system when that returns much.
//
// It changes nothing but the guest's kernel, so that it works with disks that an older
// rdd made, and with other images.
//
// Reading map: reclaim.go asks the guest, decide.go decides what to do.
package reclaim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost/agent/watch/guest"
)

// interval is the time between two readings.
const interval = 10 * time.Second

// maxLine limits a line of the guest's output, in bytes, and maxOther the number of other
// lines before an answer.
const (
	maxLine  = 4096
	maxOther = 20
)

// actionTimeout limits one action. A trim of a large disk takes minutes in an emulated VM.
const actionTimeout = 10 * time.Minute

// script is a shell script that carries out an action for each line that it reads, and
// then prints a reading. It ends with the connection. It must not contain single quotes.
//
// A built image has no udev that loads the driver of the balloon. Bit 5 of the device's
// features is VIRTIO_BALLOON_F_REPORTING. The kernel reports only large free blocks, and
// compaction makes some of the small ones that a drop leaves.
const script = `sudo -n modprobe virtio_balloon </dev/null 2>/dev/null
reports=0
for file in /sys/bus/virtio/drivers/virtio_balloon/virtio*/features; do
  [ -e "$file" ] && read -r features <"$file" && case $features in ?????1*) reports=1 ;; esac
done
while read -r action; do
  case $action in
  trim) { sudo -n fstrim -v "$data" || sudo -n fstrim -v /; } </dev/null 2>&1 ;;
  drop) sudo -n sh -c "echo 1 >/proc/sys/vm/drop_caches; echo 1 >/proc/sys/vm/compact_memory" </dev/null 2>&1 ;;
  esac
  cache=0
  while read -r key value rest; do
    case $key in
    Buffers: | Cached:) cache=$((cache + value)) ;;
    Mapped: | Shmem:) cache=$((cache - value)) ;;
    Slab:) break ;;
    esac
  done </proc/meminfo
  [ $cache -gt 0 ] || cache=0
  disk=$(stat -f -c "%S %f" "$data" 2>/dev/null || stat -f -c "%S %f" /)
  echo "rdd-use $reports $((cache * 1024)) $disk"
done`

// Run follows the use of a guest's memory and disk until ctx ends or the connection is
// closed. dataDir is a directory in the guest, without blanks, on the file system that is
// trimmed.
func Run(ctx context.Context, conn *guest.Conn, dataDir string, log *slog.Logger) {
	program, err := conn.Start("exec env data=" + dataDir + " /bin/sh -c '" + script + "'")
	if err == nil {
		defer program.Close()
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		err = follow(ctx, shell{program.In, program.Out, program.Close}, ticker.C, log)
	}
	if err != nil && ctx.Err() == nil {
		log.Warn("memory and disk space that the guest does not use are no longer returned", "error", err)
	}
}

// shell is a script in a guest.
type shell struct {
	in    io.Writer
	out   io.Reader
	close func()
}

// follow takes a reading with each tick, and carries out the actions that follow from
// it, until ctx ends.
func follow(ctx context.Context, program shell, ticks <-chan time.Time, log *slog.Logger) error {
	lines := bufio.NewScanner(program.out)
	lines.Buffer(nil, maxLine)
	var h history
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks:
		}
		for do := actionRead; do != actionNone; {
			began := time.Now()
			late := time.AfterFunc(actionTimeout, program.close)
			r, err := ask(program.in, lines, do, log)
			late.Stop()
			if err != nil {
				return fmt.Errorf("%s: %w", do, err)
			}
			if do != actionRead {
				log.Info("the guest returned what it does not use", "action", string(do), "took", time.Since(began).Round(time.Millisecond))
			}
			do = h.next(r)
		}
	}
}

// ask requests an action, and returns the reading after it.
func ask(in io.Writer, lines *bufio.Scanner, do action, log *slog.Logger) (reading, error) {
	if _, err := fmt.Fprintln(in, string(do)); err != nil {
		return reading{}, err
	}
	for other := 0; lines.Scan(); other++ {
		// A login script of the guest may print lines too.
		if r, ok := parseReading(lines.Text()); ok {
			return r, nil
		}
		if other == maxOther {
			return reading{}, errors.New("the guest printed too many lines without an answer")
		}
		log.Info("the guest printed", "action", string(do), "line", lines.Text())
	}
	if err := lines.Err(); err != nil {
		return reading{}, err
	}
	return reading{}, errors.New("the script in the guest ended")
}

// parseReading parses a line of the script. It accepts no impossible values, because the
// guest may be of any image.
func parseReading(line string) (reading, bool) {
	fields := strings.Fields(line)
	if len(fields) != 5 || fields[0] != "rdd-use" {
		return reading{}, false
	}
	var numbers [4]int64
	for i := range numbers {
		var err error
		if numbers[i], err = strconv.ParseInt(fields[1+i], 10, 64); err != nil || numbers[i] < 0 {
			return reading{}, false
		}
	}
	block, blocks := numbers[2], numbers[3]
	if block > 0 && blocks > maxBytes/block || numbers[1] > maxBytes {
		return reading{}, false
	}
	return reading{reportsMemory: numbers[0] == 1, cache: numbers[1], free: block * blocks}, true
}
