package server

import (
	"longcheng/central"
	"longcheng/kiosk"
)

// deeds are what people did, as the records keep it, in Chinese.
var deeds = map[string]string{
	"signed in": "登录", "signed out": "退出", "failed to sign in": "登录失败", "sent": "下发", "command": "命令", "published": "发布", "withdrew": "撤回发布",
	"saved document": "保存文档", "revoked": "吊销证书", "enrolment code": "生成注册码", "enrolled": "注册", "alarm acknowledged": "处理告警", "rollout": "发放版本",
	"person": "设置用户", "person added": "新增用户", "person changed": "更改用户", "person unlocked": "解锁用户", "person locked": "锁定用户", "new password": "新密码",
	"slots": "开放时段", "booking key": "生成接口密钥", "booking key revoked": "吊销接口密钥",
}

// deed says what somebody did in the language of the page.
func deed(what, lang string) string {
	if zh := deeds[what]; zh != "" && lang != "en" {
		return zh
	}
	return what
}

// roleOfBox says what a box is in the language of the page.
func roleOfBox(role, lang string) string {
	words := map[string][2]string{
		"host": {"大厅主机", "host"}, "box": {"普通设备", "box"}, "whole": {"单机大厅", "whole hall"}, "kiosk": {"取号机", "kiosk"}, "display": {"显示", "display"},
	}
	w, ok := words[role]
	switch {
	case !ok:
		return role
	case lang == "en":
		return w[1]
	}
	return w[0]
}

// called is what people call a device.
func (s *Server) called(device string, lang int) string { return inLang(s.o.Called(device), lang) }

func inLang(t kiosk.Text, lang int) string { return [2]string{t.ZH, t.EN}[lang] }

// named says what is wrong in words that people know, in both languages: where the
// fault is not known, as the box said it.
func (s *Server) named(fault, state string) string {
	if name, _ := s.o.Fault(fault); name.ZH != "" {
		return name.ZH + central.Between + name.EN
	}
	return central.Both("设备需要处理：%[1]s", "%[1]s", state)
}
