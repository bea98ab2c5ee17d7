//go:build linux

package virtiofs

import (
	"os"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// overflowID is the owner in the guest of files whose owner on the host has the number of
// GuestUser, and is not the user.
const overflowID = 65534

// guestID converts the number of a user or group for the guest. own is the user's.
func guestID(id, own uint32) uint32 {
	switch id {
	case own:
		return GuestUser
	case GuestUser:
		return overflowID
	default:
		return id
	}
}

// own sets the owner of a file for the guest.
func own(owner *fuse.Owner) {
	owner.Uid = guestID(owner.Uid, uint32(os.Geteuid()))
	owner.Gid = guestID(owner.Gid, uint32(os.Getegid()))
}

// stat returns the attributes of an open file, and what identifies it.
func (t *tree) stat(fd int, out *fuse.Attr) (fs.StableAttr, error) {
	var x unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH|unix.AT_SYMLINK_NOFOLLOW, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &x); err != nil {
		return fs.StableAttr{}, err
	}
	*out = fuse.Attr{
		Ino: x.Ino, Size: x.Size, Blocks: x.Blocks, Mode: uint32(x.Mode), Nlink: x.Nlink, Blksize: x.Blksize,
		Atime: uint64(x.Atime.Sec), Mtime: uint64(x.Mtime.Sec), Ctime: uint64(x.Ctime.Sec),
		Atimensec: x.Atime.Nsec, Mtimensec: x.Mtime.Nsec, Ctimensec: x.Ctime.Nsec,
		Owner: fuse.Owner{Uid: x.Uid, Gid: x.Gid}, Rdev: uint32(unix.Mkdev(x.Rdev_major, x.Rdev_minor)),
	}
	own(&out.Owner)
	dev := unix.Mkdev(x.Dev_major, x.Dev_minor)
	// Directories of other file systems are in the tree too. go-fuse reserves 0 and 1.
	ino := x.Ino ^ (dev^t.dev)<<32
	if ino <= 1 {
		ino |= 1 << 63
	}
	out.Ino = ino
	// A new file may get the number of a deleted one.
	born := uint64(x.Btime.Sec)*1e9 + uint64(x.Btime.Nsec)
	return fs.StableAttr{Mode: uint32(x.Mode), Ino: ino, Gen: max(born, 1)}, nil
}

// permissions are the bits of a mode that the guest may set. A program of another user
// must not run as this user.
func permissions(mode uint32) uint32 { return mode & 0o1777 }

// change applies the changes of attributes to the file with the descriptor fd, which was
// opened with O_PATH. The owner stays the user.
func change(fd int, in *fuse.SetAttrIn) error {
	path := procPath(fd)
	if mode, ok := in.GetMode(); ok {
		if err := syscall.Chmod(path, permissions(mode)); err != nil {
			return err
		}
	}
	if size, ok := in.GetSize(); ok {
		if err := syscall.Truncate(path, int64(size)); err != nil {
			return err
		}
	}
	mtime, hasMtime := in.GetMTime()
	atime, hasAtime := in.GetATime()
	if !hasMtime && !hasAtime {
		return nil
	}
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_OMIT}}
	var err error
	if hasAtime {
		if times[0], err = unix.TimeToTimespec(atime); err != nil {
			return err
		}
	}
	if hasMtime {
		if times[1], err = unix.TimeToTimespec(mtime); err != nil {
			return err
		}
	}
	return unix.UtimesNanoAt(fd, "", times, unix.AT_EMPTY_PATH)
}
