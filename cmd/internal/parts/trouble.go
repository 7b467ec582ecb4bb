package parts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/config"
	"longcheng/device"
	"longcheng/device/evdev"
	"longcheng/device/tty"
	"longcheng/device/usblp"
	"longcheng/kiosk"
)

// openWithin bounds the opening of one port; a driver that hangs is told earlier.
const openWithin = 5 * time.Second

// TryPort opens and closes a port.
func TryPort(ctx context.Context, state string, p config.Port) error {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	port, err := Opener(state, p)(ctx)
	if err != nil {
		return err
	}
	return port.Close()
}

// Trouble says what keeps a port from being opened and what to do about it. at
// is its device file.
func Trouble(at string, err error) (problem, remedy kiosk.Text) {
	say := func(zh, en string) kiosk.Text { return kiosk.Text{ZH: zh, EN: en} }
	switch {
	case errors.Is(err, tty.ErrBusy), errors.Is(err, usblp.ErrBusy), errors.Is(err, evdev.ErrBusy):
		who := holder(at)
		return say("被其他程序占用"+who, "is locked by another program"+who),
			say("请停止该程序；如果是 kioskd：systemctl stop kioskd", "stop that program; kioskd itself: systemctl stop kioskd before checking")
	case errors.Is(err, fs.ErrNotExist):
		return say("没有这个设备文件", "there is no such device file"),
			say("请插好设备并通电，或更正端口名：ls /dev/serial/by-id", "plug the device in and switch it on, or correct the name: ls /dev/serial/by-id")
	case errors.Is(err, fs.ErrPermission):
		return say("当前用户无权打开", "may not be opened by this user"),
			say("请把 kioskd 的用户加入 dialout 组，并以该用户检查", "add the user of kioskd to the group dialout, and check as that user")
	case errors.Is(err, unix.ENOTTY):
		return say("不是串口", "is not a serial line"), say("请填写串口的设备文件", "name the device file of the serial line")
	case errors.Is(err, device.ErrHangs):
		return say("打开时驱动无响应", "cannot be opened: its driver does not answer"),
			say("请拔下设备重新插入", "unplug the device and plug it in again")
	case errors.Is(err, device.ErrTimeout):
		return say("没有应答", "does not answer"), say("请检查电源、接线和波特率", "check power, cable and speed")
	}
	return say(err.Error(), err.Error()), say("请检查设备和接线", "check the device and its cable")
}

// holder names the program that has a file open, as far as this user may see.
func holder(at string) string {
	if all := Holders("", at); len(all) > 0 {
		return fmt.Sprintf(": %s, process %d", all[0].Name, all[0].PID)
	}
	return ""
}

// A Holder is a program that has a file open.
type Holder struct {
	Name string
	PID  int
}

// Holders names the programs that have a file open, as far as this user may see.
// A simulated device, which holds both ends of its pseudo-terminal, is none of
// them. The root is the prefix of /proc, for tests.
func Holders(root, at string) (all []Holder) {
	real, err := filepath.EvalSymlinks(at)
	if err != nil {
		return nil
	}
	fds, _ := filepath.Glob(root + "/proc/[0-9]*/fd/*") // the pattern is good
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err != nil || to != real {
			continue
		}
		dir := filepath.Dir(filepath.Dir(fd))
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if len(all) > 0 && all[len(all)-1].PID == pid {
			continue // open twice
		}
		if hasFarEnd(dir, real) {
			continue
		}
		if name, err := os.ReadFile(dir + "/comm"); err == nil {
			all = append(all, Holder{strings.TrimSpace(string(name)), pid})
		}
	}
	return all
}

// hasFarEnd reports whether a process, by its folder below /proc, has the far end of
// a pseudo-terminal open: it is what hangs on the line.
func hasFarEnd(process, terminal string) bool {
	number, ok := strings.CutPrefix(terminal, "/dev/pts/")
	if !ok {
		return false
	}
	all, _ := filepath.Glob(process + "/fdinfo/*") // the pattern is good
	return slices.ContainsFunc(all, func(info string) bool {
		text, _ := os.ReadFile(info)
		_, index, ok := strings.Cut(string(text), "tty-index:")
		return ok && strings.TrimSpace(index) == number
	})
}

// DeviceNumber tells devices apart whatever links lead to them.
func DeviceNumber(file string) (uint64, bool) {
	var s unix.Stat_t
	if unix.Stat(file, &s) != nil || s.Mode&unix.S_IFMT != unix.S_IFCHR {
		return 0, false
	}
	return uint64(s.Rdev), true
}
