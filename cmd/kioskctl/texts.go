package main

import (
	"maps"
	"slices"

	"longcheng/kiosk"
)

func both(zh, en string) kiosk.Text { return kiosk.Text{ZH: zh, EN: en} }

// details are the sentences below the first of a command's help.
func details() map[string]kiosk.Text {
	return map[string]kiosk.Text{
		"scan": both("查看所有串口、USB打印机、键盘、触摸屏、鼠标和GPIO，询问其上的设备，给出可直接粘贴的配置。\n只询问，不打印、不改动。请先 systemctl stop kioskd：端口由它占用。",
			"Look at every serial port, USB printer, keyboard, touch screen, mouse and GPIO chip, ask\nwhat is there, and propose the tables of a configuration, ready to paste. It only asks:\nnothing is printed, moved or changed. Stop kioskd first (systemctl stop kioskd): it holds\nits ports."),
		"test": both("会请您放卡、扫码、按键，或问您看到了什么。不带名称时列出可测试的设备。请先停止 kioskd。",
			"It asks for a card, a code, a press, or whether you see what is shown. Without a name it\nlists what can be tested. Stop kioskd first."),
		"record": both("DEVICE 为配置中的设备：测试它并录下端口上的全部数据。PORT 为端口：只听。\n姓名、号码和照片替换为同样形式的虚构内容，文件可直接发给维护人员。",
			"With a DEVICE of the configuration, test it and write all that passed its port. With a PORT,\nlisten to what comes by itself. Names, numbers and photos are replaced by invented ones of\nthe same form, so the file may be sent to whoever mends the program."),
		"setup-scanner": both("设置 GM65、GM805、GM861 的读取方式、补光和提示音，回读确认并由模块保存。其他扫码器用说明书中的设置码。\n请先停止 kioskd。",
			"Set when a GM65, GM805 or GM861 reads, whether its light shines and whether it beeps; read\nthe settings back and have the module keep them. Other scanners are set with the codes of\ntheir manuals. Stop kioskd first."),
		"accept": both("与您一起测试整机（时钟、磁盘、网络、注册、触摸屏）和配置中的每个设备，结果存入状态目录，\n用本机密钥签名并打印；kioskd 再次启动后上传中心。请先停止 kioskd。",
			"Test the box (clock, disk, network, enrolment, touch screen) and every device of its\nconfiguration with you, keep the result in the state directory, sign it with the box's\nkey and print the sheet. The daemon sends it to the centre when it runs again.\nStop kioskd first. --verify FILE reads such a result and says who signed it."),
		"print-preview": both("版式为 standard、bilingual、elder、plain 之一或自己的文件；型号为内置型号或自己的文件。",
			"The layout is one of standard, bilingual, elder and plain, or a file of your own; the\nprofile one of the built-in ones, or a file of your own."),
		"logo": both("由PNG或JPEG生成（FS q）。停止 kioskd 后把文件发给打印机一次，并在型号文件中写 nv_logo = 1。\n厂家允许每天写入约十次。",
			"From a PNG or JPEG picture (FS q). Send the file to the printer once, while the daemon is\nstopped, and set nv_logo = 1 in the printer's profile. Makers allow about ten such writes a day."),
		"rehearse": both("谁何时来、窗口何时空闲叫号保持原样；叫谁由新规则决定。无人可叫的窗口，有人来时即叫。\n只读存储，kioskd 可照常运行。人在窗口办多久、工作人员会怎样做，无从得知。",
			"Who came when, and when a window was free to call, stay as they were; whom it calls follows\nfrom the new rules. A window that then has nobody to call calls as soon as somebody comes.\nThe store is only read; kioskd may run. How long other people would have taken, and what\nclerks would have done, nobody knows."),
		"enrol": both("注册码属于哪里由配置决定。以 kioskd 的用户运行；不必重启 kioskd。",
			"The configuration says what the place is. Run it as the daemon's user; the daemon need not be restarted."),
		"enrol-code": both("DEVICE 是该设备自己配置中的名称。以 kioskd 的用户运行。",
			"DEVICE is the box's name in its own configuration. Run it as the daemon's user."),
		"promote": both("旧主机若未损坏，请先关机：此刻以后它所做的决定，在它得知新主机后全部作废。以 kioskd 的用户运行。",
			"Switch the old host off first, if it is not dead: what it decides after this moment is lost\nas soon as it hears of the new one. Run it as the daemon's user."),
		"provision make": both("设置单写明大厅、名称和网络，并含注册码，因此默认15分钟内有效。\n--files 让U盘带上 kioskd.toml 和大厅文档；二维码不带文件，设备沿用映像中的文件。",
			"It says which hall, name and network a box has, and holds its enrolment code, so it is good\nfor 15 minutes unless --life says more. With --files the stick carries a directory with\nkioskd.toml and the hall's documents; a QR code carries none: the box then keeps those of\nits image."),
		"update": both("新版本先试用；若本机不能正常工作，会自动退回。来源见 update.toml；--from 指定U盘目录。",
			"Releases are taken into use on trial: a box that is not healthy with one goes back by\nitself. The source is that of update.toml; --from names a stick instead."),
	}
}

// words are what the commands say.
func words() map[string]kiosk.Text {
	return map[string]kiosk.Text{
		"ok":               both("正常", "ok"),
		"starting":         both("正在启动", "starting"),
		"failing":          both("自检失败", "failing"),
		"hall":             both("大厅", "hall"),
		"store":            both("存储", "store"),
		"alarm":            both("时钟报警", "clock alarm"),
		"ready":            both("正常", "ready"),
		"centre":           both("中心", "centre"),
		"hangs":            both("没有动静已 %s", "no sign of life for %s"),
		"waiting":          both("%d 人等候，%d 个窗口", "%d waiting, %d windows open"),
		"owed":             both("%d 张号票待交给主机", "%d tickets to hand in to the host"),
		"events":           both("%s：已上传 %d 条，待传 %d 条", "%s: %d events sent, %d waiting"),
		"probing":          both("kioskd 没有应答：直接检查端口和设备，可能需要一分钟……", "kioskd does not answer: ports and devices are asked directly, which may take a minute ..."),
		"backed-up":        both("已备份到 %s（%d 条事件，%d 个文件，已校验）", "backed up into %s (%d events, %d files, verified)"),
		"backed-up-centre": both("中心已保存备份 %s（%d 条事件，%d 个文件，%d KiB）", "the centre keeps the backup %s (%d events, %d files, %d KiB)"),
		"no-secrets":       both("密钥和证书未备份：没有可密封的公钥（配置 support.recipient 或 --recipient）", "keys and certificates were left out: nobody to seal them to (support.recipient, or --recipient)"),
		"restored":         both("已恢复 %d 条事件，最后一条在 %s；新纪元 %d", "%d events were restored, the last of %s; the new epoch is %d"),
		"numbers":          both("  %s 号段从 %d 之后继续，不会重号", "  %s goes on behind number %d, so that none is given twice"),
		"aside":            both("原存储移到 %s", "the old store was moved to %s"),
		"secrets-missing":  both("密钥没有恢复：当日限号记录从头计，所有人需重新登录", "the keys did not come back: limits per person start anew, and everybody signs in again"),
		"start":            both("下一步：systemctl start kioskd，然后 kioskctl status", "next: systemctl start kioskd, then kioskctl status"),
		"bundled":          both("已写入 %s（%d 个文件，已加密）：发给支持人员", "wrote %s (%d files, sealed): send it to support"),
		"rebuilt":          both("%s 已由 %s 的日志链重建", "%s was rebuilt from the journal of %s"),
		"scanner-set":      both("%s：方式 %s，补光 %v，提示音 %v：已设置并保存", "%s: mode %s, light %v, beep %v: set and kept"),
		"scanner-was-so":   both("%s：方式 %s，补光 %v，提示音 %v：无需更改", "%s: mode %s, light %v, beep %v: was so already"),
		"recorded":         both("%s：已录制 %d 步", "%s: %d steps"),
		"drawn":            both("%s：%d x %d 点，发给打印机 %d 字节", "%s: %d x %d dots, %d bytes to the printer"),
		"no-glyph":         both("没有字形、按编码打印：%s", "no glyph, printed as numbers: %s"),
		"logo":             both("%s：%d x %d 点", "%s: %d x %d dots"),
		"rehearsed":        both("%s：当日 → 按新规则（分:秒）", "%s: as it was → under the changed rules (minutes:seconds)"),
		"rehearsed-head":   both("\t当日叫号\t重演叫号\t平均等候\t九成不超过\t最长等候", "\tcalled\trehearsed\tmean wait\tnine in ten within\tlongest"),
		"everybody":        both("全部", "everybody"),
		"enrolled":         both("本机是 %s，属于大厅 %s，证书到 %s，会自动续期", "this box is %s of hall %s until %s; the certificate renews itself"),
		"turned-out":       both("%s 已被清退；它正在读的内容几秒内中断", "%s is out; what it still reads ends within seconds"),
		"promoted":         both("kioskd 一秒内接替主机，或在日志中说明原因；其他设备在 %s 找到它", "kioskd takes the host's place within a second, or says in its log why it cannot; the other boxes find it at %s"),
		"ordered":          both("核对号码 %s，有效至 %s", "digits %s, good until %s"),
		"order-done":       both("%s（大厅 %s），设置单来自 %s：%s\n下一步：kioskctl scan，kioskd check，kioskctl accept", "%s of hall %s, order of %s: %s\nnext: kioskctl scan, kioskd check, kioskctl accept"),

		"runs":          both("正在运行：%s", "runs: %s"),
		"runs-now":      both("正在运行 %s", "runs %s"),
		"on-trial":      both("试用中：%s，自 %s 起，已启动 %d 次", "on trial: %s since %s, started %d times"),
		"before":        both("之前：%s", "before: %s"),
		"given-up":      both("已放弃：%s：%s", "given up: %s: %s"),
		"newer":         both("%s，%d MiB，制作于 %s", "%s, %d MiB, made %s"),
		"wanted-back":   both("中心要求本机退回 %s", "the centre wants this box back at %s"),
		"nothing-newer": both("没有更新的版本", "nothing newer"),
		"keys":          both("%s 的密钥在 %s：放在加密的磁盘上", "keys of %s in %s: keep them on an encrypted disk"),
		"root-key":      both("%s 的密钥在 %s：把 root.pem 锁进保险柜，另存一份在别处", "keys of %s in %s: move root.pem into a safe, and a copy into another one"),
		"depot":         both("设备凭 %s 信任此仓库：它是设备上的 /etc/longcheng/releases-root.json", "boxes trust this depot by %s: it becomes /etc/longcheng/releases-root.json"),
		"fresh":         both("设备接受此仓库至 %s", "boxes accept the depot until %s"),
		"rotated":       both("%s 的新密钥在 %s；设备下次查看时跟上", "%s has a new key in %s; boxes follow at their next look"),

		"replace-begin":    both("接替步骤：1 恢复备份  2 用注册码领取证书  3 启动并检查。坏设备请断电并保持断开。", "Steps: 1 restore the backup, 2 fetch a certificate with the code, 3 start and check. Keep the dead box unplugged."),
		"replace-fetch":    both("1 用注册码从中心取回备份……", "1 fetching the backup from the centre with the code ..."),
		"replace-restore":  both("1 恢复 %s 的备份（%s）……", "1 restoring the backup of %s, made %s ..."),
		"replace-no-code":  both("2 没有给注册码：单机大厅不需要；其他情况请在主机或中心取码后再执行 kioskctl enrol。", "2 no code was given: a hall of one box needs none; otherwise take one at host or centre and run kioskctl enrol."),
		"replace-enrol":    both("2 用注册码领取证书……", "2 fetching a certificate with the code ..."),
		"replace-enrolled": both("  本机现在是 %s，证书到 %s；请在主机或中心吊销坏设备的旧证书。", "  this box is %s now, until %s; revoke the dead box's certificate at host or centre."),
		"replace-next":     both("3 systemctl enable --now kioskd；kioskctl doctor；打一张测试票。", "3 systemctl enable --now kioskd; kioskctl doctor; print a test ticket."),
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
