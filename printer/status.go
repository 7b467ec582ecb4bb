package printer

import "longcheng/kiosk"

// A Status is the set of conditions that a printer reported; 0 is ready.
type Status uint16

// The conditions.
const (
	PaperOut  Status = 1 << iota // no paper under the sensor
	PaperLow                     // near end: a notice to staff, not a fault
	CoverOpen                    // cover or platen open
	CutterJam                    // autocutter error
	HeadHot                      // recovers by itself
	Broken                       // unrecoverable: needs power off
	Faulty                       // another error, such as a black mark not found
	Feeding                      // somebody presses the feed button
	Offline                      // offline for a cause not named
	Silent                       // no answer at all
	Unplugged                    // the wire is gone
	Jam                          // paper does not leave the presenter
	Paused                       // stopped by staff
	Busy                         // printing: no fault
	Presented                    // a slip hangs in the mouth: no fault
)

// notices are conditions that keep no slip from being printed.
const notices = PaperLow | Busy | Presented

// Faults returns the conditions that keep a slip from being printed.
func (s Status) Faults() Status { return s &^ notices }

// A sentence is one condition, told to the three who may read it.
type sentence struct {
	cond                       Status
	citizen, clerk, technician kiosk.Text
}

// Citizens are told what to do, not what is broken; these two do for nearly all.
var (
	elsewhere = kiosk.Text{ZH: "本机暂时不能出票，请使用其他取号机或到咨询台", EN: "This machine cannot print now. Please use another one or ask at the desk."}
	moment    = kiosk.Text{ZH: "打印机正忙，请稍候", EN: "The printer is busy. One moment, please."}
)

// sentences is ordered: the first condition that holds is the one to say.
var sentences = []sentence{
	{Unplugged, elsewhere,
		kiosk.Text{ZH: "打印机已断开，请检查电源和连线", EN: "printer is not connected: check its power and cable"},
		kiosk.Text{ZH: "端口打不开或已断开", EN: "port is gone or cannot be opened"}},
	{Silent, elsewhere,
		kiosk.Text{ZH: "打印机无应答，请检查电源", EN: "printer does not answer: check that it is switched on"},
		kiosk.Text{ZH: "对状态查询无应答：检查电源、波特率、收发线", EN: "no answer to status queries: check power, baud rate and the receive wire"}},
	{Paused, elsewhere,
		kiosk.Text{ZH: "打印机已暂停，请在维护页恢复", EN: "printer is paused: resume it on the technician's page"},
		kiosk.Text{ZH: "由人员暂停，任务保留", EN: "paused by staff; its jobs are kept"}},
	{Broken, elsewhere,
		kiosk.Text{ZH: "打印机故障，请断电后重新开机", EN: "printer has failed: switch it off and on again"},
		kiosk.Text{ZH: "不可恢复错误（DLE EOT 3 第5位）", EN: "unrecoverable error (DLE EOT 3 bit 5): power cycle, then replace"}},
	{CutterJam, elsewhere,
		kiosk.Text{ZH: "切刀卡住：打开上盖，清理切刀，再合上", EN: "cutter jammed: open the cover, free the blade, close it"},
		kiosk.Text{ZH: "切刀错误（DLE EOT 3 第3位）", EN: "autocutter error (DLE EOT 3 bit 3)"}},
	{Jam, elsewhere,
		kiosk.Text{ZH: "出纸口卡纸：打开上盖，取出卡住的纸，再合上", EN: "paper jam at the mouth: open the cover, pull out the paper, close it"},
		kiosk.Text{ZH: "出纸器卡纸（Custom GS e 6 第7位，Hwasung 第2位）", EN: "paper jam in the presenter (Custom GS e 6 bit 7, Hwasung bit 2)"}},
	{CoverOpen, elsewhere,
		kiosk.Text{ZH: "打印机上盖未合，请合上", EN: "cover is open: close it"},
		kiosk.Text{ZH: "上盖打开（DLE EOT 2 第2位）", EN: "cover or platen open (DLE EOT 2 bit 2)"}},
	{PaperOut, elsewhere,
		kiosk.Text{ZH: "打印机缺纸，请换纸卷", EN: "printer is out of paper: put in a new roll"},
		kiosk.Text{ZH: "纸尽（DLE EOT 4 第5、6位）", EN: "paper end (DLE EOT 4 bits 5 and 6)"}},
	{HeadHot, moment,
		kiosk.Text{ZH: "打印头过热，请等待自动恢复", EN: "print head is hot: it recovers by itself"},
		kiosk.Text{ZH: "可自动恢复错误（DLE EOT 3 第6位）", EN: "auto-recoverable error (DLE EOT 3 bit 6)"}},
	{Faulty, elsewhere,
		kiosk.Text{ZH: "打印机报错，请检查走纸", EN: "printer reports an error: check the paper path"},
		kiosk.Text{ZH: "其他错误（DLE EOT 2 第6位）", EN: "other error (DLE EOT 2 bit 6, DLE EOT 3 bit 2)"}},
	{Feeding, moment,
		kiosk.Text{ZH: "走纸键被按住", EN: "paper is being fed by the button"},
		kiosk.Text{ZH: "走纸键按下（DLE EOT 2 第3位）", EN: "feed button pressed (DLE EOT 2 bit 3)"}},
	{Offline, elsewhere,
		kiosk.Text{ZH: "打印机脱机", EN: "printer is offline"},
		kiosk.Text{ZH: "脱机，未报原因", EN: "offline for a cause it does not name (DLE EOT 1 bit 3)"}},
	{PaperLow, kiosk.Text{ZH: "可以取号", EN: "Ready"},
		kiosk.Text{ZH: "纸快用完，请备纸", EN: "paper is running low: have a roll at hand"},
		kiosk.Text{ZH: "近纸尽（DLE EOT 4 第2、3位）", EN: "paper near end (DLE EOT 4 bits 2 and 3)"}},
}

var readySentence = kiosk.Text{ZH: "可以取号", EN: "Ready"}

func (s Status) sentence() sentence {
	for _, x := range sentences {
		if s&x.cond != 0 {
			return x
		}
	}
	return sentence{0, readySentence, kiosk.Text{ZH: "打印机正常", EN: "ready"}, kiosk.Text{ZH: "正常", EN: "ready"}}
}

// Citizen returns the sentence for the screen of the kiosk.
func (s Status) Citizen() kiosk.Text { return s.sentence().citizen }

// Clerk returns the sentence for staff: what is wrong and what to do.
func (s Status) Clerk() kiosk.Text { return s.sentence().clerk }

// Technician returns the sentence for the person who repairs it.
func (s Status) Technician() kiosk.Text { return s.sentence().technician }

// String returns the clerk's sentence in English.
func (s Status) String() string { return s.Clerk().EN }

// Error makes a status usable as an error; it is of the class "the device said
// no": show it, wait, do not reconnect.
func (s Status) Error() string { return s.String() }
