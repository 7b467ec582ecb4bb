package faults

import (
	"strings"

	"longcheng/kiosk"
)

// kinds are how the names of devices begin, or what they are, in Chinese.
var kinds = map[string]string{
	"printer": "打印机", "reader": "读卡器", "scanner": "扫码器", "board": "按键板", "line": "线路", "strip": "窗口屏", "wall": "大屏", "voice": "广播",
	"lamp": "指示灯", "button": "按键", "door": "柜门", "presence": "人体感应", "buzzer": "蜂鸣器", "program": "外部程序", "keyboard": "键盘", "touch screen": "触摸屏", "mouse": "鼠标", "box": "本机", "silent": "无应答的端口", "shut": "打不开的端口",
	"hall host": "大厅主机", "centre": "中心", "stand-in": "替补主机", "disk": "磁盘", "store": "存储", "acceptance": "验收", "announcements": "公告", "hall document": "大厅文档", "release": "版本",
}

// Called is the name of a device, such as "printer printer-1" or "strip:3", as people
// say it.
func Called(device string) kiosk.Text {
	if zh := kinds[device]; zh != "" {
		return kiosk.Text{ZH: zh, EN: device}
	}
	i := max(0, strings.IndexAny(device, " :"))
	kind := kinds[device[:i]]
	if kind == "" {
		return kiosk.Text{ZH: device, EN: device}
	}
	name := strings.TrimSuffix(strings.TrimSuffix(device[i+1:], " late"), " security")
	return kiosk.Text{ZH: kind + " " + name, EN: device}
}
