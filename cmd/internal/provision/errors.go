package provision

import (
	"errors"
	"strings"

	"longcheng/central"
	"longcheng/central/order"
	"longcheng/cmd/internal/commission"
	"longcheng/cmd/internal/config"
	"longcheng/kiosk"
)

// What keeps an order from being carried out.
var (
	ErrOther       = errors.New("the digits are not those of its maker: nothing was changed")
	ErrNoFile      = errors.New("is not beside it: use the stick it was made with")
	ErrChanged     = errors.New("was changed after the order was made: make the stick again")
	ErrNoDocument  = errors.New("it brings no kioskd.toml and the box has none: use a stick with the box's documents")
	ErrMistake     = errors.New("the configuration has mistakes")
	ErrNotEnrolled = errors.New("the box is set up, but not enrolled")
	ErrStopped     = errors.New("stopped by hand")
	ErrBrokenOff   = errors.New("the acceptance test was broken off")
	ErrNobody      = errors.New("nobody answered")
)

// chinese are the errors as the wizard says them; the first that fits is it.
var chinese = []struct {
	err error
	zh  string
}{
	{order.ErrOld, "设置单已过期：请重新制作"},
	{order.ErrDamaged, "读到的不是设置单，或已损坏：请重新扫描或重新制作"},
	{order.ErrForged, "设置单的签名不对，内容可能被改动：请重新制作"},
	{ErrOther, "号码不一致：没有改动任何设置"},
	{ErrNoFile, "设置单所需的文件不在U盘上：请使用制作时的U盘"},
	{ErrChanged, "U盘上的文件在制作后被改动：请重新制作"},
	{ErrNoDocument, "设置单不带配置文档，本机也没有：请在中心制作带文档的U盘"},
	{ErrMistake, "配置文档有错误：请改正后重新制作"},
	{commission.ErrLeft, "设备已不在那里应答，请重新查找"},
	{config.ErrLayout, "配置文件的写法特殊，请手工修改"},
	{ErrStopped, "已停止：文档和网络可能已写入，可重新开始"},
}

// inChinese is an error for who stands before the box.
func inChinese(err error) string {
	for _, c := range chinese {
		if errors.Is(err, c.err) {
			return c.zh
		}
	}
	var p *central.Problem
	switch {
	case errors.As(err, &p) && p.Code == "code":
		return "注册码无效、已用过或已过期：请在中心或大厅主机上重新生成，再从手工设置填写"
	case errors.Is(err, ErrNotEnrolled):
		return "已写入设置，但没有注册成功"
	}
	return "设置没有成功"
}

// told is an error in both languages.
func told(err error, zh string) kiosk.Text {
	return kiosk.Text{ZH: zh, EN: strings.TrimPrefix(err.Error(), "order: ")}
}

// mistake says what is wrong with what was entered at the box, and on which of the
// form's pages.
func mistake(err error) (said kiosk.Text, page int) {
	if errors.Is(err, errCode) {
		return told(err, "注册码为16位字母和数字，并须填写生成它的地址"), 2
	}
	for _, m := range []struct {
		part, zh string
		page     int
	}{
		{"hall and device must be names", "大厅和设备名只能用字母、数字、点和横线", 0}, {"no role", "请选择角色", 0},
		{"fixed address", "请填写地址，例如 10.0.0.5/24", 1}, {"gateway", "网关的写法不对，例如 10.0.0.1", 1},
		{"dns", "域名服务器的写法不对", 1}, {"ntp", "时间服务器的写法不对", 1}, {"address", "地址的写法不对，例如 10.0.0.5/24", 1},
	} {
		if strings.Contains(err.Error(), m.part) {
			return told(err, m.zh), m.page
		}
	}
	return told(err, "填写有误"), 0
}
