package main

import (
	"time"

	"longcheng/display"
	"longcheng/display/voice"
	"longcheng/kiosk/calling"
)

// staleCall is the age at which a call that was never spoken is not spoken any more.
const staleCall = 2 * time.Minute

// makeVoices makes the voices of the zones.
func (b *box) makeVoices() error {
	for _, v := range b.conf.Voices {
		engine, err := b.kit.Engine(v)
		if err != nil {
			return err
		}
		name := "voice:" + v.Name
		said := voice.NewAnnouncer(name, engine, b.kit.VoiceOptions(v, b.now))
		zones := display.ZonesOn(b.conf.Hall, v.Zones, v.Floors)
		o := display.VoiceOptions{Keep: staleCall, Zones: zones, Board: b.board, Now: b.now}
		keeper := b.keep(said, o.Build(b.conf.Hall), calling.Surface{Name: name, Zones: zones},
			voiceSilence, display.Options{Timeout: time.Minute, Late: 30 * time.Second})
		b.try(name, "播放提示音", "Play the chime", said.Chime)
		b.board.OnChange(func() {
			said.Hurry()
			keeper.Refresh()
		})
	}
	b.wires = append(b.wires, part{"announcements", b.announce, nil})
	return nil
}
