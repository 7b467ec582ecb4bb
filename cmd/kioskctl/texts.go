package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"longcheng/kiosk"
)

func both(zh, en string) kiosk.Text { return kiosk.Text{ZH: zh, EN: en} }

// helps says in both languages what each command does, and below it, with a flag's
// name behind the command's, what each flag does. A flag alone is the same for all
// commands. What has no English here says it where the command is made.
func helps() map[string]kiosk.Text {
	return map[string]kiosk.Text{
		"":                           both("龙城技术人员工具", ""),
		"--config":                   both("本机的配置文件", "the box's configuration"),
		"--state":                    both("状态目录", "the box's state directory"),
		"--lang":                     both("语言：zh 或 en", "language: zh or en"),
		"--json":                     both("输出 JSON", "print JSON"),
		"--help":                     both("显示帮助", ""),
		"--version":                  both("显示版本", ""),
		"help":                       both("显示某个命令的帮助", ""),
		"completion":                 both("生成命令行补全脚本", ""),
		"status":                     both("本机现状：设备、队列、连接", "How the box stands: devices, queues, links"),
		"doctor":                     both("查找并解释故障；加故障名则只解释", "Find what is wrong and explain it; with a fault's name, explain that"),
		"doctor --list":              both("列出全部已知故障", "list all faults that are known"),
		"logs":                       both("查看日志", "Show the log"),
		"logs --unit":                both("服务名：kioskd、kiosk-touch、kiosk-wall、centrald", "service: kioskd, kiosk-touch, kiosk-wall, centrald"),
		"logs --since":               both("起始时间，如 \"2 hours ago\" 或 today", "from then on, such as \"2 hours ago\" or today"),
		"logs --lines":               both("最后多少行", "how many of the last lines"),
		"logs --follow":              both("持续显示新内容", "go on with what is new"),
		"logs --file":                both("读这个文件而不是系统日志", "read this file instead of the system's journal"),
		"backup":                     both("备份存储、配置和大厅文档（运行中即可）", "Back up store, configuration and hall documents, while the box works"),
		"backup --to":                both("目标目录；不写则用唯一挂载的U盘", "directory; without it the one stick that is mounted"),
		"backup --recipient":         both("age 公钥，密封密钥与证书；默认 support.recipient", "age public key that seals keys and certificates; default support.recipient"),
		"restore":                    both("用备份恢复本机的存储，开始新的纪元", "Make the store anew from a backup, in a new epoch"),
		"restore --documents":        both("同时恢复配置与大厅文档", "bring back configuration and hall documents, too"),
		"restore --identity":         both("age 私钥文件，用于打开密封的密钥", "age identity file that opens the sealed secrets"),
		"replace":                    both("接替一台坏掉的设备", "Take over the role of a box that died"),
		"replace --from":             both("坏设备的备份目录", "backup of the dead box"),
		"replace --code":             both("主机或中心给出的注册码", "enrolment code of host or centre"),
		"replace --identity":         both("age 私钥文件，用于打开密封的密钥", "age identity file that opens the sealed secrets"),
		"support-bundle":             both("收集排障资料并加密，不含个人信息", "Collect and seal what support needs, without personal data"),
		"support-bundle --to":        both("写到哪个目录", "directory to write it into"),
		"verify":                     both("检查存储的日志链：无缺失、无改动、无重号", ""),
		"rebuild":                    both("仅凭日志链重建一个新的存储", ""),
		"print-preview":              both("把号票画成PNG，与打印机逐点一致", ""),
		"logo":                       both("生成写入打印机内存的徽标数据", ""),
		"enrol":                      both("用注册码领取本机证书", ""),
		"update":                     both("查看、安装、回退版本", ""),
		"update status":              both("当前版本、试用版本、已放弃的版本", ""),
		"update check":               both("查看有无新版本，不做改动", ""),
		"update apply":               both("立即安装新版本（营业时间也会执行）", ""),
		"update rollback":            both("退回上一个版本", ""),
		"update run":                 both("完成被中断的更新；大厅休息时安装提供的版本", ""),
		"manual":                     both("输出手册页的命令部分", ""),
		"scan":                       both("查找端口、芯片和设备，并给出配置建议", "Find ports, chips and what answers there; propose a configuration"),
		"test":                       both("测试配置中的一个设备并给出结论", "Test one device of the configuration, with a verdict"),
		"probe":                      both("查询打印机型号并生成型号文件", "Ask a printer what it is and fill a profile"),
		"record":                     both("录制设备数据，不含个人信息", "Write what a device says into a file, without personal data"),
		"replay":                     both("回放录制文件", "Play a recorded file to its driver and say what that makes of it"),
		"enrol-code":                 both("在主机上：生成注册码，15分钟内让一台设备加入一次", ""),
		"turn-out":                   both("在主机上：让一台设备的证书失效", ""),
		"promote":                    both("在替补主机上：立即接替大厅主机", ""),
		"enrol-code --standin":       both("该设备可接替主机：它将得到全部数据和大厅密钥", ""),
		"accept":                     both("整机验收测试，并签署验收单", "Acceptance test of the whole box, with a signed sheet"),
		"provision":                  both("制作并执行首次设置单", "Make the order that tells an empty box what it is, and carry it out"),
		"release":                    both("维护者用：密钥、签名与发布", ""),
		"support-bundle --recipient": both("谁能打开：age 公钥；默认 support.recipient", "who may open it, an age public key; default support.recipient"),
	}
}

// words are what the commands say.
func words() map[string]kiosk.Text {
	return map[string]kiosk.Text{
		"ok":              both("正常", "ok"),
		"starting":        both("正在启动", "starting"),
		"failing":         both("自检失败", "failing"),
		"hall":            both("大厅", "hall"),
		"store":           both("存储", "store"),
		"alarm":           both("时钟报警", "clock alarm"),
		"ready":           both("正常", "ready"),
		"centre":          both("中心", "centre"),
		"hangs":           both("没有动静已 %s", "no sign of life for %s"),
		"waiting":         both("%d 人等候，%d 个窗口", "%d waiting, %d windows open"),
		"owed":            both("%d 张号票待交给主机", "%d tickets to hand in to the host"),
		"events":          both("%s：已上传 %d 条，待传 %d 条", "%s: %d events sent, %d waiting"),
		"probing":         both("kioskd 没有应答：直接检查端口和设备，可能需要一分钟……", "kioskd does not answer: ports and devices are asked directly, which may take a minute ..."),
		"backed-up":       both("已备份到 %s（%d 条事件，%d 个文件，已校验）", "backed up into %s (%d events, %d files, verified)"),
		"no-secrets":      both("密钥和证书未备份：没有可密封的公钥（配置 support.recipient 或 --recipient）", "keys and certificates were left out: nobody to seal them to (support.recipient, or --recipient)"),
		"restored":        both("已恢复 %d 条事件，最后一条在 %s；新纪元 %d", "%d events were restored, the last of %s; the new epoch is %d"),
		"numbers":         both("  %s 号段从 %d 之后继续，不会重号", "  %s goes on behind number %d, so that none is given twice"),
		"aside":           both("原存储移到 %s", "the old store was moved to %s"),
		"secrets-missing": both("密钥没有恢复：当日限号记录从头计，所有人需重新登录", "the keys did not come back: limits per person start anew, and everybody signs in again"),
		"start":           both("下一步：systemctl start kioskd，然后 kioskctl status", "next: systemctl start kioskd, then kioskctl status"),
		"bundled":         both("已写入 %s（%d 个文件，已加密）：发给支持人员", "wrote %s (%d files, sealed): send it to support"),

		"replace-begin":    both("接替步骤：1 恢复备份  2 用注册码领取证书  3 启动并检查。坏设备请断电并保持断开。", "Steps: 1 restore the backup, 2 fetch a certificate with the code, 3 start and check. Keep the dead box unplugged."),
		"replace-restore":  both("1 恢复 %s 的备份（%s）……", "1 restoring the backup of %s, made %s ..."),
		"replace-no-code":  both("2 没有给注册码：单机大厅不需要；其他情况请在主机或中心取码后再执行 kioskctl enrol。", "2 no code was given: a hall of one box needs none; otherwise take one at host or centre and run kioskctl enrol."),
		"replace-enrol":    both("2 用注册码领取证书……", "2 fetching a certificate with the code ..."),
		"replace-enrolled": both("  本机现在是 %s，证书到 %s；请在主机或中心吊销坏设备的旧证书。", "  this box is %s now, until %s; revoke the dead box's certificate at host or centre."),
		"replace-next":     both("3 systemctl enable --now kioskd；kioskctl doctor；打一张测试票。", "3 systemctl enable --now kioskd; kioskctl doctor; print a test ticket."),
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// translate puts the texts of a language into a command and all below it.
func translate(c *cobra.Command, lang string) {
	all := helps()
	path := strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), c.Root().Name()), " ")
	if s := pick(all[path], lang); s != "" {
		c.Short, c.Long = s, ""
	}
	flags := func(f *pflag.Flag) {
		if s := pick(all[strings.TrimSpace(path+" --"+f.Name)], lang); s != "" {
			f.Usage = s
		} else if s := pick(all["--"+f.Name], lang); s != "" {
			f.Usage = s
		}
	}
	c.Flags().VisitAll(flags)
	c.PersistentFlags().VisitAll(flags)
	for _, sub := range c.Commands() {
		translate(sub, lang)
	}
}

func pick(t kiosk.Text, lang string) string {
	if lang == "zh" {
		return t.ZH
	}
	return t.EN
}

// headings are the words of the help that are the library's.
var headings = strings.NewReplacer(
	"Usage:", "用法：", "Available Commands:", "命令：", "Flags:", "选项：", "Global Flags:", "通用选项：", "Aliases:", "别名：", "Examples:", "示例：",
	`Use "`, `用 "`, `[command] --help" for more information about a command.`, `[命令] --help" 查看某个命令的说明。`,
)

// speak makes the help come in the tool's language, which is known when the flags
// have been read.
func (t *tool) speak(c *cobra.Command) {
	help, usage := c.HelpFunc(), c.UsageTemplate()
	c.SetHelpFunc(func(c *cobra.Command, args []string) {
		c.InitDefaultHelpFlag()
		translate(c.Root(), t.lang)
		if t.lang == "zh" {
			c.Root().SetUsageTemplate(headings.Replace(usage))
		}
		help(c, args)
	})
}
