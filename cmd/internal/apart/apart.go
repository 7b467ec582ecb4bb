// Package apart gives tests namespaces and file systems of their own, which nobody else
// sees and which end with the test, however it ends. It needs root.
package apart

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Run runs f on a thread that leaves the machine's namespaces of these kinds. They end
// with f.
func Run(kinds int, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		err := unix.Unshare(kinds)
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

// Mounted returns the directory of a file system that mount mounts, which is there as
// long as the test. Programs that the test starts find it by the same name.
func Mounted(t testing.TB, mount func(dir string) error) string {
	t.Helper()
	dir, root := t.TempDir(), (*os.File)(nil)
	err := Run(unix.CLONE_NEWNS|unix.CLONE_FS, func() error {
		err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		if err == nil {
			err = mount(dir)
		}
		if err == nil {
			root, err = os.Open(dir)
		}
		return err
	})
	if err != nil {
		t.Fatalf("mount: %v: run the tests as root", err)
	}
	t.Cleanup(func() { root.Close() })
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), root.Fd())
}

// InMemory is a mount of a file system in memory, with the options of tmpfs.
func InMemory(options string) func(dir string) error {
	return func(dir string) error { return unix.Mount("tmpfs", dir, "tmpfs", 0, options) }
}
