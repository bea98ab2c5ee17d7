package provision

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// FuzzDiskSize generates truncated and damaged disks. A size is never negative: it
// decides whether a disk is enlarged.
func FuzzDiskSize(f *testing.F) {
	header := binary.BigEndian.AppendUint32(nil, 0x514649fb)
	header = append(header, make([]byte, 20)...)
	f.Add(append(binary.BigEndian.AppendUint64(header, 1<<30), 0, 0, 0, 0))
	f.Add(append(binary.BigEndian.AppendUint64(header, 1<<63), 0, 0, 0, 0))
	f.Add([]byte("raw"))
	path := filepath.Join(f.TempDir(), "disk")
	f.Fuzz(func(t *testing.T, disk []byte) {
		if err := os.WriteFile(path, disk, 0o600); err != nil {
			t.Fatal(err)
		}
		if size, err := diskSize(path); size < 0 {
			t.Fatalf("%x: %d bytes, %v", disk, size, err)
		}
	})
}
