//go:build linux

package virtiofs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
)

// hasProtocolFeatures is the feature of a device with protocol features.
const hasProtocolFeatures = 1 << 30

// Features that this device has; see virtio 1.1, 6, and the protocol of vhost-user.
const (
	features = 1<<28 | // indirect descriptors
		hasProtocolFeatures |
		1<<32 // virtio 1
	protocolFeatures = 1<<0 | // several queues
		1<<3 // a reply to each request
)

// queues are those of a device: one for urgent requests, and one for all others.
const queues = 2

// device is what QEMU is connected to.
type device struct {
	queues [queues]*queue
	memory *memory
	log    *log.Logger
}

func newDevice(handle handler, log *log.Logger) *device {
	d := &device{log: log}
	for i := range d.queues {
		d.queues[i] = &queue{handle: handle, log: log}
	}
	return d
}

// serve serves QEMU until it closes the connection.
func (d *device) serve(conn *net.UnixConn) error {
	for {
		m, err := receive(conn)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("receive a request of QEMU: %w", err)
		}
		answer, err := d.do(m)
		switch {
		case err != nil && (m.flags&needsReply == 0 || errors.Is(err, errStuck)):
			return fmt.Errorf("request %d of QEMU: %w", m.request, err)
		case err != nil:
			d.log.Printf("request %d of QEMU failed: %v", m.request, err)
			answer = number(1)
		case answer == nil && m.flags&needsReply != 0:
			answer = number(0)
		}
		if answer == nil {
			continue
		}
		if err := reply(conn, m.request, answer); err != nil {
			return fmt.Errorf("reply to QEMU: %w", err)
		}
	}
}

func number(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

// do carries out a request. It returns the payload of the reply, nil for none.
func (d *device) do(m message) (answer []byte, err error) {
	switch m.request {
	case getFeatures:
		return number(features), nil
	case getProtocolFeatures:
		return number(protocolFeatures), nil
	case getQueueNum:
		return number(queues), nil
	case setFeatures:
		if m.u64(0)&hasProtocolFeatures == 0 {
			for _, q := range d.queues { // no request enables them
				q.enabled = true
			}
		}
		return nil, nil
	case setProtocolFeatures, setOwner, resetOwner:
		return nil, nil
	case setMemTable:
		defer m.close()
		return nil, d.setMemory(m)
	}
	index := m.u32(0) & 0xff
	if index >= queues {
		m.close()
		return nil, fmt.Errorf("there is no queue %d", index)
	}
	return d.doQueue(d.queues[index], m)
}

// doQueue carries out a request for a queue.
func (d *device) doQueue(q *queue, m message) (answer []byte, err error) {
	switch m.request {
	case setVringNum:
		if q.size = m.u32(4); q.size == 0 || q.size > maxQueue {
			return nil, fmt.Errorf("a queue cannot have %d entries", q.size)
		}
	case setVringBase:
		q.mu.Lock()
		q.lastAvail = uint16(m.u32(4))
		q.mu.Unlock()
	case setVringAddr:
		q.addresses = ringAddresses{desc: m.u64(8), used: m.u64(16), avail: m.u64(24)}
		err = q.place(d.memory)
	case setVringKick, setVringCall, setVringErr:
		err = setFile(q, m)
	case setVringEnable:
		if q.enabled = m.u32(4) != 0; !q.enabled {
			_, err = q.stop()
		}
	case getVringBase:
		base, err := q.stop()
		if err != nil {
			return nil, err
		}
		closeFile(&q.kick)
		return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, m.u32(0)), uint32(base)), nil
	default:
		m.close()
		return nil, errors.New("it is unknown")
	}
	if err == nil {
		q.start()
	}
	return nil, err
}

// setFile sets an eventfd of a queue.
func setFile(q *queue, m message) error {
	file, err := m.file()
	switch {
	case err != nil:
		m.close()
		return err
	case m.request == setVringErr:
		closeFile(&file)
	case m.request == setVringCall:
		q.mu.Lock()
		defer q.mu.Unlock()
		closeFile(&q.call)
		q.call = file
		// A reply may have been announced at the former file, where nothing listens.
		q.announce()
	default:
		if _, err := q.stop(); err != nil {
			return err
		}
		closeFile(&q.kick)
		q.kick = file
	}
	return nil
}

func closeFile(file **os.File) {
	if *file != nil {
		_ = (*file).Close()
		*file = nil
	}
}

// setMemory replaces the guest's memory.
func (d *device) setMemory(m message) error {
	memory, err := mapMemory(m.payload, m.files)
	if err != nil {
		return err
	}
	old := d.memory
	d.memory = memory
	for _, q := range d.queues {
		// A request that is in flight uses the old memory, and the new ring.
		err = errors.Join(err, q.place(memory))
	}
	if old != nil {
		old.release()
	}
	return err
}
