//go:build linux

package virtiofs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// maxRegions is the limit of the protocol.
const maxRegions = 8

// region is a range of the guest's memory. user is its address in QEMU.
type region struct {
	guest, user uint64
	data        []byte
}

// memory is the guest's memory. It is unmapped by release, when the last request in it
// has ended.
type memory struct {
	regions []region
	users   sync.WaitGroup
}

// mapMemory maps the regions of a memory table, each with its file.
func mapMemory(table []byte, files []int) (*memory, error) {
	const head, entry = 8, 32
	if len(table) < head {
		return nil, errors.New("the memory table is too short")
	}
	count := int(binary.LittleEndian.Uint32(table))
	if count > maxRegions || count != len(files) || len(table) < head+count*entry {
		return nil, fmt.Errorf("the memory table has %d regions with %d files in %d bytes", count, len(files), len(table))
	}
	m := &memory{}
	for i, file := range files {
		fields := table[head+i*entry:]
		size, offset := binary.LittleEndian.Uint64(fields[8:]), binary.LittleEndian.Uint64(fields[24:])
		data, err := unix.Mmap(file, int64(offset), int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE)
		if err != nil {
			m.release()
			return nil, fmt.Errorf("map %d bytes of the guest's memory: %w", size, err)
		}
		_ = unix.Madvise(data, unix.MADV_DONTDUMP)
		m.regions = append(m.regions, region{binary.LittleEndian.Uint64(fields), binary.LittleEndian.Uint64(fields[16:]), data})
	}
	return m, nil
}

// release unmaps the memory once no request uses it.
func (m *memory) release() {
	go func() {
		m.users.Wait()
		for _, r := range m.regions {
			_ = unix.Munmap(r.data)
		}
	}()
}

// atGuest returns the memory at an address of the guest, up to size bytes: less at the end
// of a region, and none outside of all.
func (m *memory) atGuest(address, size uint64) []byte {
	for _, r := range m.regions {
		if address >= r.guest && address-r.guest < uint64(len(r.data)) {
			rest := r.data[address-r.guest:]
			return rest[:min(size, uint64(len(rest)))]
		}
	}
	return nil
}

// atUser returns the size bytes at an address of QEMU.
func (m *memory) atUser(address, size uint64) ([]byte, error) {
	for _, r := range m.regions {
		if address >= r.user && address-r.user < uint64(len(r.data)) {
			if rest := r.data[address-r.user:]; size <= uint64(len(rest)) {
				return rest[:size], nil
			}
		}
	}
	return nil, fmt.Errorf("no memory of the guest has %d bytes at %#x", size, address)
}
