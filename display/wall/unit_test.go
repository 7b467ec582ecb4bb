package wall

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// The script of the unit under a headless compositor: cage starts it, the wall is
// painted and proven, and a page that draws nothing any more ends it, so that systemd
// starts both anew.
func TestTheUnitUnderAHeadlessCompositor(t *testing.T) {
	script, err := filepath.Abs("../../deploy/units/kiosk-browser")
	if err != nil {
		t.Fatal(err)
	}
	g := newGlass(t, Options{Stall: 3 * time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	dir := shared(t)
	cmd := exec.CommandContext(ctx, "cage", "-d", "--", script)
	cmd.Env = append(os.Environ(), "KIOSK_URL=http://"+g.addr+"/", "KIOSK_WATCH=1", "KIOSK_EVERY=1", "KIOSK_FLAGS=--no-sandbox --disable-gpu",
		"XDG_RUNTIME_DIR="+dir, "HOME="+dir, "WLR_BACKENDS=headless", "WLR_RENDERER=pixman", "WLR_LIBINPUT_NO_DEVICES=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: nobody(t, dir)}
	said := &tail{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: install it with: apt-get install cage xwayland chromium curl", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	for {
		_, err := g.w.Show(ctx, busy())
		if err == nil {
			break
		}
		if ctx.Err() != nil || !errors.Is(err, ErrNoBrowser) && !errors.Is(err, ErrNotPainted) {
			t.Fatalf("the wall is not painted: %v\n%s", err, said)
		}
		select {
		case err := <-ended:
			t.Fatalf("cage ended: %v\n%s", err, said)
		case <-time.After(100 * time.Millisecond):
		}
	}
	g.w.mu.Lock()
	g.w.born = time.Now().Add(-time.Hour)
	g.w.seq++ // a message that the page never hears of: what it draws is not the latest
	g.w.mu.Unlock()
	select {
	case <-ended:
	case <-ctx.Done():
		t.Fatalf("a page that draws nothing is left alone\n%s", said)
	}
}

// shared returns a directory for an ordinary user's session.
func shared(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "longcheng-session-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// nobody is an ordinary user for the session: cage does not run as root.
func nobody(t *testing.T, dir string) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2, os.Chown(dir, uid, gid), os.Chmod(dir, 0o700)); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// tail keeps the last of what a program says.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	t.b = t.b[max(0, len(t.b)-2000):]
	return len(p), nil
}

func (t *tail) String() string { return string(t.b) }
