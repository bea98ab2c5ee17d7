package provision

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// diskSize returns the size of a disk as its guest sees it, in bytes. The qcow2
// format is described in https://www.qemu.org/docs/master/interop/qcow2.html; any
// other file counts as a raw disk.
func diskSize(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var header struct {
		Magic, Version    uint32
		BackingOffset     uint64
		BackingLength     uint32
		ClusterBits       uint32
		Size              int64
		EncryptionAndMore [4]byte
	}
	const magic = 0x514649fb
	err = binary.Read(f, binary.BigEndian, &header)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if err == nil && header.Magic == magic {
		if header.Size < 0 {
			return 0, fmt.Errorf("read the size of the disk %s: its header is damaged: 'rdd vm reset' makes a new disk", path)
		}
		return header.Size, nil
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
