// Package faults is the list of all that can be wrong with a box, with name, cause
// and remedy in Chinese and English, and the names of its devices. The doctor, the
// technician's page, the tool, the printed handbook and the centre's pages all speak
// from it.
//
// It does not know how a fault is found.
package faults

import (
	"slices"

	"longcheng/kiosk"
)

// A Level says how bad a fault is.
type Level string

// The levels.
const (
	Bad  Level = "bad"  // something does not work
	Warn Level = "warn" // works now, and will not for long; or works otherwise than meant
)

// A Fault is one entry of the list.
type Fault struct {
	ID     string     `json:"id"`
	Level  Level      `json:"level"`
	Name   kiosk.Text `json:"name"`
	Cause  kiosk.Text `json:"cause"`
	Remedy kiosk.Text `json:"remedy"`
}

// List returns every fault that is known, by area, in the order of the handbook.
func List() []Area {
	return []Area{
		{kiosk.Text{ZH: "端口与连线", EN: "Ports and cables"}, append(portFaults(), wireFaults()...)},
		{kiosk.Text{ZH: "打印机", EN: "Printers"}, printerFaults()},
		{kiosk.Text{ZH: "读卡器、屏、声音", EN: "Readers, strips, sound"}, deviceFaults()},
		{kiosk.Text{ZH: "电源、磁盘、时钟", EN: "Power, disk, clock"}, machineFaults()},
		{kiosk.Text{ZH: "网络", EN: "Network"}, networkFaults()},
		{kiosk.Text{ZH: "程序与文档", EN: "Programs and documents"}, programFaults()},
	}
}

// An Area is a part of the list.
type Area struct {
	Name   kiosk.Text `json:"name"`
	Faults []Fault    `json:"faults"`
}

// Named returns a fault of the list by its id. One that is not in the list has
// its id as name: a newer daemon may know more.
func Named(id string) Fault {
	for _, a := range List() {
		if i := slices.IndexFunc(a.Faults, func(f Fault) bool { return f.ID == id }); i >= 0 {
			return a.Faults[i]
		}
	}
	return Fault{ID: id, Level: Bad, Name: kiosk.Text{ZH: id, EN: id}}
}

// entry is one fault as it is written in the list: name, cause and remedy, each
// first in Chinese.
func entry(id string, level Level, nameZH, nameEN, causeZH, causeEN, remedyZH, remedyEN string) Fault {
	return Fault{id, level, kiosk.Text{ZH: nameZH, EN: nameEN}, kiosk.Text{ZH: causeZH, EN: causeEN}, kiosk.Text{ZH: remedyZH, EN: remedyEN}}
}
