package main

import (
	"maps"

	"longcheng/kiosk"
)

// helps says in both languages what each command does, and below it, with a flag's
// name behind the command's, what each flag does. A flag alone is the same for all
// commands.
func helps() map[string]kiosk.Text {
	all := map[string]kiosk.Text{}
	for _, some := range []map[string]kiosk.Text{commonHelps(), careHelps(), ruleHelps(), deviceHelps(), setupHelps(), hallHelps(), updateHelps(), releaseHelps()} {
		maps.Copy(all, some)
	}
	return all
}

// commonHelps are about what all commands share.
func commonHelps() map[string]kiosk.Text {
	return map[string]kiosk.Text{
		"":           both("龙城技术人员工具", "The technician's tool of Longcheng"),
		"--config":   both("本机的配置文件", "the box's configuration"),
		"--state":    both("状态目录", "the box's state directory"),
		"--lang":     both("语言：zh 或 en", "language: zh or en"),
		"--json":     both("输出 JSON", "print JSON"),
		"--help":     both("显示帮助", "show this help"),
		"--version":  both("显示版本", "show the version"),
		"--identity": both("age 私钥文件，用于打开密封的密钥", "age identity file that opens the sealed secrets"),
		"--answer":   both("yes 或 no：自动回答所有问题，供脚本使用", "yes or no: answer every question so, for scripts"),
		"--patience": both("等待放卡、扫码、按键的时间", "how long to wait for a card, a code, a press"),
		"help":       both("显示某个命令的帮助", "Help about any command"),
		"completion": both("生成命令行补全脚本：bash、zsh 或 fish", "Write the completion script of a shell: bash, zsh or fish"),
		"manual":     both("输出手册页的命令部分", "Print the commands for the manual page"),
	}
}

// careHelps are about looking after a box.
func careHelps() map[string]kiosk.Text {
	return map[string]kiosk.Text{
		"status":                     both("本机现状：设备、队列、连接", "How the box stands: devices, queues, links"),
		"doctor":                     both("查找并解释故障；加故障名则只解释", "Find what is wrong and explain it; with a fault's name, explain that"),
		"doctor --list":              both("列出全部已知故障", "list all faults that are known"),
		"logs":                       both("查看日志", "Show the log"),
		"logs --unit":                both("服务名：kioskd、kiosk-touch、kiosk-wall、longcheng-first-boot、longcheng-updater、centrald", "service: kioskd, kiosk-touch, kiosk-wall, longcheng-first-boot, longcheng-updater, centrald"),
		"logs --since":               both("起始时间，如 \"2 hours ago\" 或 today", "from then on, such as \"2 hours ago\" or today"),
		"logs --lines":               both("最后多少行", "how many of the last lines"),
		"logs --follow":              both("持续显示新内容", "go on with what is new"),
		"logs --file":                both("读这个文件而不是系统日志", "read this file instead of the system's journal"),
		"backup":                     both("备份存储、配置和大厅文档（运行中即可）", "Back up store, configuration and hall documents, while the box works"),
		"backup --to":                both("目标目录；centre：存到中心；不写则用唯一挂载的U盘", "directory, or centre; without it the one stick that is mounted"),
		"backup --recipient":         both("age 公钥，密封密钥与证书；默认 support.recipient", "age public key that seals keys and certificates; default support.recipient"),
		"restore":                    both("用备份（目录，或 centre：中心保存的最近一份）恢复本机的存储，开始新的纪元", "Make the store anew from a backup, a directory or centre, in a new epoch"),
		"restore --documents":        both("同时恢复配置与大厅文档", "bring back configuration and hall documents, too"),
		"replace":                    both("接替一台坏掉的设备", "Take over the role of a box that died"),
		"replace --from":             both("坏设备的备份目录；centre：从中心取回", "backup of the dead box: a directory, or centre"),
		"replace --code":             both("主机或中心给出的注册码", "enrolment code of host or centre"),
		"support-bundle":             both("收集排障资料并加密，不含个人信息", "Collect and seal what support needs, without personal data"),
		"support-bundle --to":        both("写到哪个目录", "directory to write it into"),
		"support-bundle --recipient": both("谁能打开：age 公钥；默认 support.recipient", "who may open it, an age public key; default support.recipient"),
		"verify":                     both("检查存储的日志链：无缺失、无改动、无重号", "Check that nothing in a store's journal was lost, changed or given twice"),
		"rebuild":                    both("仅凭日志链重建一个新的存储", "Make a new store from the journal of another one alone"),
	}
}

// ruleHelps are about trying a hall's rules and the look of its tickets.
func ruleHelps() map[string]kiosk.Text {
	return map[string]kiosk.Text{
		"rehearse":        both("用改动后的规则重演过去一天，比较等候时间", "Play a past day again under changed rules, and compare how long people waited"),
		"rehearse --hall": both("改动后的大厅文档", "the changed hall document"),
		"rehearse --day":  both("哪一天，如 2026-11-29；不写则为倒数第二天", "which day, such as 2026-11-29; without it the last but one"),

		"print-preview":           both("把号票画成PNG，与打印机逐点一致", "Draw a ticket as PNG, with the exact dots of a printer model"),
		"print-preview --hall":    both("大厅文档；不写则用虚构的小大厅", "hall document; without it a small made-up hall"),
		"print-preview --profile": both("打印机型号，或 .toml 文件", "printer profile, or a file ending in .toml"),
		"print-preview --layout":  both("版式，或 .ticket 文件", "layout, or a file ending in .ticket"),
		"print-preview --item":    both("大厅的事项；不写则用第一个", "item of the hall; without it the first"),
		"print-preview --class":   both("大厅的优先类别", "priority class of the hall"),
		"print-preview --logo":    both("版式中 logo 处打印的图片", "picture to dither and print where the layout says logo"),
		"print-preview --out":     both("输出文件", "file to write"),
		"print-preview --copy":    both("标为副本", "mark it as a copy"),
		"logo":                    both("生成写入打印机内存的徽标数据", "Make the bytes that store a logo in a printer's memory, for commissioning"),
		"logo --width":            both("点数；288 为80毫米纸宽的一半", "dots; 288 is half of an 80 mm paper"),
		"logo --out":              both("输出文件", "file to write"),
	}
}

// deviceHelps are about devices.
func deviceHelps() map[string]kiosk.Text {
	return map[string]kiosk.Text{
		"scan":                  both("查找端口、芯片和设备，并给出配置建议", "Find ports, chips and what answers there; propose a configuration"),
		"scan --port":           both("只扫描这些端口", "look at these device files alone"),
		"test":                  both("测试配置中的一个设备并给出结论", "Test one device of the configuration, with a verdict"),
		"probe":                 both("查询打印机型号并生成型号文件", "Ask a printer what it is and fill a profile"),
		"probe --baud":          both("未配置的端口的波特率", "speed, for a PORT that is not configured"),
		"probe --name":          both("型号文件名称", "name of the profile"),
		"probe --out":           both("写入此文件", "write the profile to this file"),
		"record":                both("录制设备数据，不含个人信息", "Write what a device says into a file, without personal data"),
		"record --out":          both("输出文件，不能已存在", "file to write; it must not exist"),
		"record --seconds":      both("监听端口的秒数", "how long to listen to a PORT"),
		"record --baud":         both("端口的波特率", "its speed"),
		"replay":                both("回放录制文件", "Play a recorded file to its driver and say what that makes of it"),
		"replay --kind":         both(`录自何种设备，如 "reader sam"；默认按文件所写`, `what it was recorded from, such as "reader sam"; default: as the file says`),
		"setup-scanner":         both("设置 GM65 系列扫码模块并保存", "Set up a scanner of the GM65 family, for good"),
		"setup-scanner --mode":  both("读取方式：sense 感应、continuous 连续、key 按键", "when it reads: sense, continuous or key"),
		"setup-scanner --light": both("读取时补光", "its light shines while it reads"),
		"setup-scanner --beep":  both("读取后提示音", "it beeps when it has read"),
		"setup-scanner --baud":  both("未配置的端口的波特率", "speed, for a PORT that is not configured"),
		"accept":                both("整机验收测试，并签署验收单", "Acceptance test of the whole box, with a signed sheet"),
		"accept --by":           both("验收人姓名", "name of the technician"),
		"accept --no-print":     both("不打印验收单", "print no sheet"),
		"accept --verify":       both("核验一份已保存的结果", "read a kept result instead"),
	}
}

// setupHelps are about setting up a box.
func setupHelps() map[string]kiosk.Text {
	return map[string]kiosk.Text{
		"provision":                both("制作并执行首次设置单", "Make the order that tells an empty box what it is, and carry it out"),
		"provision make":           both("制作签名的设置单（U盘或二维码）", "Make a signed order on a USB stick or as a QR code"),
		"provision make --hall":    both("大厅编号", "id of the hall"),
		"provision make --device":  both("设备名称", "name of the box"),
		"provision make --role":    both("角色：whole、host、kiosk、display", "whole, host, kiosk or display"),
		"provision make --code":    both("中心或大厅主机的注册码", "enrolment code of the centre or of the hall's host"),
		"provision make --address": both("地址，如 10.0.0.5/24；不写则用 DHCP", "such as 10.0.0.5/24; without it DHCP"),
		"provision make --gateway": both("网关", "its gateway"),
		"provision make --dns":     both("域名服务器", "name servers"),
		"provision make --ntp":     both("时间服务器", "time servers"),
		"provision make --files":   both("含 kioskd.toml 和大厅文档的目录", "directory with kioskd.toml and the hall's documents"),
		"provision make --key":     both("签名密钥；没有则新建", "your key; it is made when it is not there"),
		"provision make --stick":   both("写到这个已挂载的U盘", "write to this mounted stick"),
		"provision make --qr":      both("把二维码写成PNG", "write a QR code as PNG"),
		"provision make --life":    both("有效期", "how long it is good"),
		"provision use":            both("执行U盘或文件中的设置单（root）", "Carry out an order from a stick or a file, as root"),
		"provision use --root":     both("/etc 的前缀，用于映像和测试", "prefix of /etc, for images and tests"),
		"provision use --port":     both("只查看这些串口，而不是本机的全部端口", "look at these serial ports instead of every port of the machine"),
		"provision use --stick":    both("已挂载的U盘目录", "the mounted stick"),
		"provision use --file":     both("设置单文件；- 为标准输入", "a file with the order; - is standard input"),
		"provision use --digits":   both("制作者的核对号码（本机不认识该制作者时）", "the maker's digits, where the box does not know the maker"),
		"provision wait":           both("首次启动：等待U盘、扫码器或触摸屏上的设置单", "Wait for an order on a stick, a scanner or the touch screen: the first start"),
		"provision wait --root":    both("/etc 的前缀，用于映像和测试", "prefix of /etc, for images and tests"),
		"provision wait --port":    both("只查看这些串口，而不是本机的全部端口", "look at these serial ports instead of every port of the machine"),
		"provision wait --listen":  both("触摸屏浏览器访问的地址", "where the touch screen's browser looks"),
	}
}

// hallHelps are about the boxes of one hall.
func hallHelps() map[string]kiosk.Text {
	return map[string]kiosk.Text{
		"enrol":                both("用注册码领取本机证书", "Fetch this box's certificate with a code of the place that it names"),
		"enrol-code":           both("在主机上：生成注册码，15分钟内让一台设备加入一次", "On the host of a hall: make a code that lets one box in, once, within 15 minutes"),
		"enrol-code --standin": both("该设备可接替主机：它将得到全部数据和大厅密钥", "the box may take the host's place: it gets a copy of everything, the keys of the hall too"),
		"turn-out":             both("在主机上：让一台设备的证书失效", "On the host of a hall: turn a box out whose certificate shall no longer be good"),
		"promote":              both("在替补主机上：立即接替大厅主机", "On a stand-in: take the host's place, now"),
	}
}

// updateHelps are about updates.
func updateHelps() map[string]kiosk.Text {
	return map[string]kiosk.Text{
		"update":                 both("查看、安装、回退版本", "Look for releases, take one into use, go back"),
		"update --etc":           both("配置目录", "directory of the configuration"),
		"update --home":          both("存放版本的目录", "where releases are kept"),
		"update --from":          both("从U盘目录或此地址取版本", "directory of a stick, or address, to take the release from"),
		"update --packaged":      both("软件包中程序的目录", "directory of the packaged programs"),
		"update --within":        both("试用版本最多多久须正常", "how long a release on trial may take until it is well"),
		"update --good":          both("试用版本须正常多久", "how long a release on trial must be well"),
		"update status":          both("当前版本、试用版本、已放弃的版本", "Which release runs, which is on trial, which were given up"),
		"update check":           both("查看有无新版本，不做改动", "Look for a newer release; change nothing"),
		"update apply":           both("立即安装新版本（营业时间也会执行）", "Take a newer release into use now, also while the hall is open"),
		"update apply --release": both("指定版本，而不是最新", "this release, not the newest"),
		"update apply --one-way": both("也接受会改变存储、不能再退回的版本", "also one that cannot be given up again, because it changes the store"),
		"update rollback":        both("退回上一个版本", "Go back to the release before the one that runs"),
		"update run":             both("完成被中断的更新，下载提供的版本；大厅休息时安装", "Finish what was interrupted, fetch what the source offers; take it while the hall is closed"),
		"update settle":          both("记录试用版本的一次启动；三次后放弃", "Count a start of a release on trial; after three give it up"),
		"update adopt":           both("运行 Debian 软件包中的程序", "Run the programs of the Debian package"),
	}
}

// releaseHelps are about the releases that updates bring.
func releaseHelps() map[string]kiosk.Text {
	return map[string]kiosk.Text{
		"release":               both("维护者用：密钥、签名与发布", "For the maintainer: keys, signing and publishing of releases"),
		"release --keys":        both("密钥目录；每一步只需其角色的密钥", "directories with keys; a step needs only those of its roles"),
		"release --days":        both("不续签时设备接受仓库多少天，30至90", "how long boxes accept the depot without a renewal, 30 to 90"),
		"release keys":          both("生成密钥；不写角色则全部生成", "Make keys, of every role if none is named"),
		"release init":          both("建立空仓库", "Make an empty depot"),
		"release bundle":        both("把程序打包成版本文件", "Pack programs into the file of a release"),
		"release bundle --arch": both("程序的架构：amd64、arm64、armhf", "architecture of the programs: amd64, arm64, armhf"),
		"release describe":      both("以 JSON 说明本程序属于哪个版本：program 或 image", "What this kioskctl is a release of, as JSON: program or image"),
		"release add":           both("签名并放入仓库；FILE.json 描述各版本", "Sign releases into a depot; FILE.json describes each"),
		"release renew":         both("续签时间戳，至少每月一次", "Sign the timestamp anew, at least every month"),
		"release rotate":        both("更换某角色的密钥；新密钥放在 DIR", "Replace the key of a role; the new one is kept in DIR"),
		"release list":          both("列出仓库内容", "What a depot holds"),
	}
}
