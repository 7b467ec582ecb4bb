//go:build doctor

package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/doctor"
)

// The requests of the kernel to a file system in user space: include/uapi/linux/fuse.h.
const (
	fuseLookup  = 1
	fuseForget  = 2
	fuseGetattr = 3
	fuseOpen    = 14
	fuseInit    = 26
	fuseOpendir = 27
)

// attr is a struct fuse_attr of an inode with this number and mode.
func attr(inode uint64, mode uint32) []byte {
	b := binary.LittleEndian.AppendUint64(nil, inode)
	b = append(b, make([]byte, 52)...) // size, blocks, times
	b = binary.LittleEndian.AppendUint32(b, mode)
	return append(b, make([]byte, 24)...) // links, owner, device
}

// answer is what a file system with one file says to a request, but to the opening of
// the file; ok is false for what wants no answer.
func answer(request []byte) (says []byte, ok bool) {
	inode := binary.LittleEndian.Uint64(request[16:])
	switch binary.LittleEndian.Uint32(request[4:]) {
	case fuseInit:
		says = make([]byte, 64)
		says[0], says[4], says[21] = 7, 31, 0x10 // the version of the protocol, writes of 4 KiB
	case fuseLookup:
		says = binary.LittleEndian.AppendUint64(nil, 2)
		says = append(append(says, make([]byte, 32)...), attr(2, unix.S_IFREG|0o666)...)
	case fuseGetattr:
		says = append(make([]byte, 16), attr(inode, unix.S_IFREG|0o666)...)
		if inode == 1 {
			says = append(make([]byte, 16), attr(inode, unix.S_IFDIR|0o755)...)
		}
	case fuseOpendir:
		says = make([]byte, 16)
	case fuseForget, fuseOpen:
		return nil, false
	}
	return says, true
}

// serve answers the kernel until the file system is gone.
func serve(fuse *os.File) {
	for request := make([]byte, 128<<10); ; {
		if _, err := fuse.Read(request); err != nil {
			return
		}
		says, ok := answer(request)
		if !ok {
			continue
		}
		reply := binary.LittleEndian.AppendUint32(nil, uint32(16+len(says)))
		reply = binary.LittleEndian.AppendUint32(reply, 0)
		if says == nil {
			binary.LittleEndian.PutUint32(reply[4:], uint32(0x100000000-uint64(unix.ENOSYS)))
		}
		_, _ = fuse.Write(append(append(reply, request[8:16]...), says...)) // the asker may have gone
	}
}

// apart runs f on a thread with mounts of its own, which end with it.
func apart(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS)
		if err == nil {
			err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

// hanging is a file whose driver does not come back from opening it. It is on a file
// system of the test's own, which ends with the test.
func hanging(t *testing.T) string {
	t.Helper()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatalf("/dev/fuse: %v: modprobe fuse", err)
	}
	dir, at := t.TempDir(), (*os.File)(nil)
	err = apart(func() (err error) {
		if err := unix.Mount("fuse", dir, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fd)); err != nil {
			return err
		}
		fuse, ended := os.NewFile(uintptr(fd), "/dev/fuse"), make(chan struct{})
		go func() { serve(fuse); close(ended) }()
		t.Cleanup(func() { fuse.Close(); <-ended })
		at, err = os.Open(dir)
		return err
	})
	if err != nil {
		t.Fatalf("mount a file system in user space: %v: run the tests as root", err)
	}
	t.Cleanup(func() { at.Close() })
	return fmt.Sprintf("/proc/%d/fd/%d/tty", os.Getpid(), at.Fd())
}

// A driver hangs in opening a port. Without the daemon the doctor finds that; the
// daemon's loop of that device hangs, and it says so of itself.
func TestTheDoctorHearsOfADriverThatHangs(t *testing.T) {
	r, file := newRig(t, 1000), hanging(t)
	conf, _ := edited(t, "kioskd.toml", "[[board]]", "ports/board-1", file)
	found := map[string]string{}
	for _, f := range doctor.Examine(t.Context(), doctor.Patient{Config: conf, State: r.state}) {
		found[f.ID] += f.On + ";"
	}
	if !strings.Contains(found["port-hangs"], filepath.Base(file)) {
		t.Errorf("found %v", found)
	}
	r.start(conf).finds(r.state, conf, map[string]string{"kioskd-failing": ""})
}
