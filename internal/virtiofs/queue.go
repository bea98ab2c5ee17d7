//go:build linux

package virtiofs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Flags of a descriptor, and of the ring of available requests; see virtio 1.1, 2.6.
const (
	descNext     = 1
	descWrite    = 2
	descIndirect = 4

	noInterrupt = 1

	descSize = 16
	maxQueue = 1024
	// maxBuffers is the size in bytes of all buffers of a request, or of a reply. Linux
	// sends at most the data and a page.
	maxBuffers = maxRequest + 64<<10
)

// handler handles one request, writes the reply, and returns its size.
type handler func(request, reply [][]byte) int

// ring is a queue in the guest's memory: descriptors, requests that the guest has made
// available, and requests that this process has used.
type ring struct {
	desc, avail, used []byte
}

// ringAddresses are the addresses of a ring in QEMU.
type ringAddresses struct {
	desc, used, avail uint64
}

// queue is a queue of requests. The device calls its methods, one at a time.
type queue struct {
	handle handler
	log    *log.Logger

	size      uint32
	addresses ringAddresses
	kick      *os.File
	enabled   bool
	running   bool
	loop      sync.WaitGroup
	inFlight  sync.WaitGroup

	// mu protects the fields below, which the requests use too.
	mu        sync.Mutex
	memory    *memory
	ring      ring
	call      *os.File
	lastAvail uint16
	usedIndex uint16
	// requests is the number of requests in flight.
	requests uint32
}

// place finds the ring in the guest's memory.
func (q *queue) place(m *memory) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.memory, q.ring = m, ring{}
	if m == nil || q.size == 0 || q.addresses == (ringAddresses{}) {
		return nil
	}
	n := uint64(q.size)
	desc, err1 := m.atUser(q.addresses.desc, n*descSize)
	avail, err2 := m.atUser(q.addresses.avail, 4+2*n)
	used, err3 := m.atUser(q.addresses.used, 4+8*n)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if q.addresses.avail%4 != 0 || q.addresses.used%4 != 0 {
		return errors.New("a queue is not aligned")
	}
	q.ring = ring{desc, avail, used}
	q.usedIndex = uint16(atomic.LoadUint32(word(used)) >> 16)
	return nil
}

// word returns the first four bytes of a ring: its flags, and its index in the upper half.
func word(ring []byte) *uint32 {
	return (*uint32)(unsafe.Pointer(&ring[0])) //nolint:gosec // place has checked size and alignment.
}

// start runs a queue that has all it needs.
func (q *queue) start() {
	if q.running || !q.enabled || q.kick == nil || q.ring.desc == nil {
		return
	}
	q.running = true
	kick := q.kick
	_ = kick.SetReadDeadline(time.Time{})
	q.loop.Go(func() { q.run(kick) })
}

// stopTimeout limits the wait for the requests in flight. Without a limit, a request that
// hangs, such as on a file server that is away, would keep QEMU from stopping the VM.
const stopTimeout = 30 * time.Second

// errStuck means that the server must end, because a request in flight does not.
var errStuck = errors.New("a request of the guest does not end")

// stop waits until no request is in flight, and returns the index of the next one, or
// errStuck.
func (q *queue) stop() (uint16, error) {
	if q.running {
		_ = q.kick.SetReadDeadline(time.Unix(0, 1))
		q.loop.Wait()
		q.running = false
	}
	ended := make(chan struct{})
	go func() {
		q.inFlight.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(stopTimeout):
		return 0, errStuck
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lastAvail, nil
}

// run handles requests until kick has passed its deadline.
func (q *queue) run(kick *os.File) {
	var counter [8]byte
	for {
		if err := q.drain(); err != nil {
			q.log.Print("the guest sent an invalid request, and its queue ends: ", err)
			return
		}
		if _, err := kick.Read(counter[:]); err != nil {
			return
		}
	}
}

// drain starts the handling of all available requests. A guest makes at most as many at
// once as the queue has entries.
func (q *queue) drain() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		next := uint16(atomic.LoadUint32(word(q.ring.avail)) >> 16)
		if next == q.lastAvail {
			return nil
		}
		if q.requests == q.size {
			return fmt.Errorf("there are more requests than %d, the size of the queue", q.size)
		}
		at := 4 + 2*(uint32(q.lastAvail)%q.size)
		head := binary.LittleEndian.Uint16(q.ring.avail[at:])
		request, reply, err := q.chain(head)
		if err != nil {
			return err
		}
		q.lastAvail++
		q.requests++
		m := q.memory
		m.users.Add(1)
		q.inFlight.Go(func() {
			defer m.users.Done()
			q.push(head, q.reply(request, reply))
		})
	}
}

// reply handles a request. If the handler panics, only this request fails.
func (q *queue) reply(request, reply [][]byte) (size int) {
	defer func() {
		if reason := recover(); reason != nil {
			q.log.Printf("a request failed: %v\n%s", reason, debug.Stack())
			size = 0
		}
	}()
	return q.handle(request, reply)
}

// chain returns the buffers of a request, by its first descriptor.
func (q *queue) chain(head uint16) (request, reply [][]byte, err error) {
	table, next, left, indirect := q.ring.desc, uint32(head), q.size, false
	sum := map[bool]uint64{} // of the replies, and of the requests
	for ; left > 0; left-- {
		if (next+1)*descSize > uint32(len(table)) {
			return nil, nil, fmt.Errorf("descriptor %d is outside of its table", next)
		}
		fields := table[next*descSize:]
		address, size := binary.LittleEndian.Uint64(fields), binary.LittleEndian.Uint32(fields[8:])
		flags := binary.LittleEndian.Uint16(fields[12:])
		next = uint32(binary.LittleEndian.Uint16(fields[14:]))
		if flags&descIndirect != 0 {
			table = q.memory.atGuest(address, uint64(size))
			if indirect || len(table) != int(size) || size > maxQueue*descSize {
				return nil, nil, fmt.Errorf("a table of %d bytes at %#x is in another one, or outside of the memory", size, address)
			}
			next, left, indirect = 0, size/descSize+1, true
			continue
		}
		isReply := flags&descWrite != 0
		if sum[isReply] += uint64(size); sum[isReply] > maxBuffers {
			return nil, nil, fmt.Errorf("the buffers of a request have more than %d bytes", maxBuffers)
		}
		for size > 0 {
			part := q.memory.atGuest(address, uint64(size))
			if part == nil {
				return nil, nil, fmt.Errorf("a buffer of %d bytes at %#x is outside of the memory", size, address)
			}
			address, size = address+uint64(len(part)), size-uint32(len(part))
			if isReply {
				reply = append(reply, part)
			} else {
				request = append(request, part)
			}
		}
		if flags&descNext == 0 {
			return request, reply, nil
		}
	}
	return nil, nil, errors.New("a request has too many descriptors")
}

// push returns a request to the guest, with a reply of size bytes.
func (q *queue) push(head uint16, size int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests--
	if q.ring.used == nil {
		return
	}
	entry := q.ring.used[4+8*(uint32(q.usedIndex)%q.size):]
	binary.LittleEndian.PutUint32(entry, uint32(head))
	binary.LittleEndian.PutUint32(entry[4:], uint32(size))
	q.usedIndex++
	atomic.StoreUint32(word(q.ring.used), uint32(q.usedIndex)<<16)
	if atomic.LoadUint32(word(q.ring.avail))&noInterrupt == 0 {
		q.announce()
	}
}

// announce notifies the guest of replies.
func (q *queue) announce() {
	if q.call != nil {
		one := [8]byte{1}
		_, _ = q.call.Write(one[:]) // QEMU has ended if it fails
	}
}
