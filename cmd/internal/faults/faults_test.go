package faults

import (
	"testing"

	"longcheng/kiosk"
)

func TestCalled(t *testing.T) {
	for device, zh := range map[string]string{
		"printer printer-1": "打印机 printer-1", "strip:3": "窗口屏 3", "wall:main late": "大屏 main", "reader r1 security": "读卡器 r1",
		"centre": "中心", "hall host": "大厅主机", "k1 A012": "k1 A012", ":": ":", "": "",
	} {
		if got := Called(device); got != (kiosk.Text{ZH: zh, EN: device}) {
			t.Errorf("%q is called %+v, want %q", device, got, zh)
		}
	}
}
