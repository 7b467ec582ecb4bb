package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"longcheng/central"
	"longcheng/central/order"
	"longcheng/cmd/internal/backup"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/release"
	"longcheng/cmd/internal/status"
	"longcheng/cmd/internal/support"
)

// errMistakes stands behind the name of a configuration that is not right.
var errMistakes = errors.New("has mistakes")

// commonest are the failures that technicians meet most, in Chinese; the first
// that fits is told. What is not here is told in English alone.
var commonest = []struct {
	err error
	zh  string
}{
	{errSick, "有故障需要处理：见上"},
	{errUnwell, "本机不正常：运行 kioskctl doctor"},
	{errNotGood, "设备不合格：见上"},
	{errNotAccepted, "验收不合格：处理标 ✗ 的项目后重新验收"},
	{errFaults, "日志链不完整：保留此文件作为证据，恢复最近的备份"},
	{errMistakes, "配置有错误：kioskd check 列出行号和改法"},
	{backup.ErrRunning, "kioskd 正在运行：先执行 systemctl stop kioskd"},
	{support.ErrNoRecipient, "没有写明谁能打开：在配置中写 support.recipient，或用 --recipient"},
	{status.ErrDown, "kioskd 没有应答：它没有运行，或页面地址不同；kioskctl logs 看原因"},
	{status.ErrForeign, "kioskd 的地址上是另一个程序：ss -ltnp 查看"},
	{release.ErrNone, "没有更新的版本"},
	{order.ErrOld, "设置单已过期或本机时钟错误：核对时钟，或重新制作"},
	{order.ErrDamaged, "不是设置单，或已损坏：重新制作"},
	{order.ErrForged, "设置单的签名不对：被改动或已损坏，重新制作"},
	{errNoStick, "没有找到U盘：插好U盘，或用 --to 指定目录"},
	{errSticks, "插了不止一个U盘：用 --to 指定一个"},
	{syscall.ENOSPC, "磁盘已满：清理后重试"},
	{syscall.EROFS, "只读，不能写入：U盘用 mount -o remount,rw 重新挂载；本机的磁盘由 kioskctl doctor 说明原因"},
	{syscall.EADDRINUSE, "端口被占用：先停止 kioskd，或换一个地址"},
	{fs.ErrPermission, "没有权限：用 sudo 运行，或以 kioskd 的用户运行（sudo -u longcheng）"},
	{fs.ErrNotExist, "文件或目录不存在：核对路径"},
	{fs.ErrExist, "文件已存在：换一个名称"},
}

// told is a failure that has its own Chinese.
type told struct {
	error
	zh string
}

func (t told) Unwrap() error { return t.error }

// byWords are failures that only their words tell: those of the command line, and of
// what was typed there.
var byWords = []struct{ begins, zh string }{
	{"unknown command", "没有这个命令：kioskctl --help 列出全部命令"},
	{"unknown flag", "没有这个选项：加 --help 查看"},
	{"unknown shorthand", "没有这个选项：加 --help 查看"},
	{"accepts ", "参数个数不对：加 --help 查看"},
	{"requires at least", "参数个数不对：加 --help 查看"},
	{"invalid argument", "参数不对：加 --help 查看"},
	{"doctor: there is no fault", "没有这个故障：kioskctl doctor --list 列出全部"},
	{"read enrolment code", "注册码不完整：从中心或主机上完整复制"},
	{"seal: recipient", "这不是 age 公钥：写 age-keygen 显示的 age1…"},
	{"no device ", "配置中没有这个设备：kioskctl test 列出全部"},
	{`order: "`, "--hall 和 --device 必须写，只用字母、数字、点和横线"},
	{"order: there is no role", "没有这个角色：写 whole、host、kiosk 或 display"},
	{"order: address", "地址要带长度，如 10.0.0.5/24"},
	{"order: gateway", "网关不对：它须与本机地址在同一网段"},
	{"roll back: this box remembers no", "本机没有记住更早的版本，无法退回"},
	{"open depot", "仓库打不开：先执行 kioskctl release init，或核对目录"},
}

// inChinese is what a failure means, "" if that is not known.
func inChinese(err error) string {
	for _, c := range commonest {
		if errors.Is(err, c.err) {
			return c.zh
		}
	}
	var own told
	var p *central.Problem
	var no net.Error
	var f config.Finding
	switch {
	case errors.As(err, &own):
		return own.zh
	case errors.As(err, &f):
		return cmp.Or(f.ZH, "配置文件缺失或有错误：kioskctl doctor 列出全部")
	case errors.As(err, &p) && p.Code == "code":
		return "注册码无效、已用过或已过期：重新取码"
	case errors.As(err, &p):
		return "对方拒绝了请求"
	case errors.As(err, &no):
		return "网络不通：检查网线、地址、端口和对方是否运行"
	}
	for _, c := range byWords {
		if strings.HasPrefix(err.Error(), c.begins) {
			return c.zh
		}
	}
	return ""
}

// fail tells why a command failed, in the tool's language and as it was told.
func (t *tool) fail(w io.Writer, err error) {
	zh := inChinese(err)
	switch {
	case t.json:
		_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error(), "zh": zh}) // the reader may be gone
	case t.lang == "zh" && zh != "":
		fmt.Fprintf(w, "kioskctl: %s\n  （%s）\n", zh, err)
	default:
		fmt.Fprintln(w, "kioskctl:", err)
	}
}
