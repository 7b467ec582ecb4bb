package main

import (
	"fmt"
	"net/http"
	"time"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/doctor"
	"longcheng/display"
	"longcheng/display/wall"
	"longcheng/kiosk"
	"longcheng/kiosk/calling"
	"longcheng/kiosk/hall"
)

// makeWalls makes the pages of the big screens.
func (b *box) makeWalls() error {
	b.board = &display.Billboard{}
	for _, w := range b.conf.Walls {
		name := "wall:" + w.Name
		page, err := wall.New(name, b.wallOptions(w))
		if err != nil {
			return fmt.Errorf("wall %s: %w", w.Name, err)
		}
		b.walls = append(b.walls, page)
		path := "/wall/" + w.Name
		b.mux.Handle(path+"/", http.StripPrefix(path, page.Handler()))
		zones := display.ZonesOn(b.conf.Hall, w.Zones, w.Floors)
		o := display.WallOptions{Title: kiosk.Text{ZH: w.Title}, Zones: zones, Board: b.board, Now: b.now}
		keeper := b.keep(page, o.Build(b.conf.Hall), calling.Surface{Name: name, Zones: zones}, surfaceSilence, display.Options{Fault: display.LostWall})
		b.board.OnChange(keeper.Refresh)
	}
	return nil
}

func (b *box) wallOptions(w config.Wall) wall.Options {
	o := wall.Options{
		Languages: w.Languages, Media: config.Resolve(b.set.state, w.Media), Night: wall.Schedule{From: w.NightFrom, To: w.NightTo},
		Now: func() time.Time { return b.now().In(b.conf.Hall.Location()) },
	}
	for _, n := range w.Notices {
		o.Notices = append(o.Notices, wall.Notice{Text: n.Text, Schedule: wall.Schedule{Days: n.Days, From: n.From, To: n.To, Since: n.Since, Until: n.Until}})
	}
	for _, p := range w.Pieces {
		o.Playlist = append(o.Playlist, wall.Piece{File: p.File, Seconds: p.Seconds, Schedule: wall.Schedule{Days: p.Days, From: p.From, To: p.To, Since: p.Since, Until: p.Until}})
	}
	return o
}

// keep adds a surface of the hall with its keeper.
func (b *box) keep(s display.Surface, build display.Build, where calling.Surface, within time.Duration, o display.Options) *display.Keeper {
	o.Now = b.now
	o.OnChange = func(h display.Health) {
		if h.Ready {
			b.health.say(h.Surface, ready)
			return
		}
		b.health.trouble(h.Surface, doctor.OfSurface(h.Surface, h.Reason), h.Reason)
	}
	o.OnLate = func(surface string, c kiosk.Call, after time.Duration) {
		b.health.tell(surface+" late", "calls-late", fmt.Sprintf("calls are not shown within %s: the first was %s", max(o.Late, time.Second), c.Number))
	}
	o.OnTimely = func(surface string) { b.health.over(surface + " late") }
	pulse := b.pulse(s.Name(), within)
	src := display.Source(b.view)
	if b.member != nil {
		src, o.Lost = named{b.view, b.conf.Device}, lostAfter
		b.member.Add(kiosk.Place{Name: hall.Named(b.conf.Device, where.Name), Window: where.Window, Zones: where.Zones})
	}
	keeper := display.NewKeeper(beatingSource{src, pulse.beat}, s, build, o)
	b.keepers = append(b.keepers, keeper)
	b.surfaces = append(b.surfaces, where)
	b.showing = append(b.showing, part{s.Name(), keeper.Run, pulse})
	return keeper
}
