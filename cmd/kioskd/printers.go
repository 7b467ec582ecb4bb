package main

import (
	"context"
	"net/http"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/doctor"
	"longcheng/cmd/internal/parts"
	"longcheng/device"
	"longcheng/kiosk"
	"longcheng/kiosk/web"
	"longcheng/printer"
	"longcheng/printer/escpos"
	"longcheng/printer/panel"
)

// makePrinters makes a spool for every printer.
func (b *box) makePrinters() error {
	glyphs := parts.Glyphs()
	layouts, err := b.layouts()
	if err != nil {
		return err
	}
	spools := map[string]*printer.Spool{}
	for _, p := range b.conf.Printers {
		if spools[p.Name], err = b.makePrinter(p, glyphs, layouts); err != nil {
			return err
		}
	}
	p := &panel.Panel{OnPause: func(name string, paused bool) {
		b.log.Info("paused or resumed by a technician", "device", "printer "+name, "paused", paused)
	}}
	for _, c := range b.conf.Printers {
		if c.Spare != "" {
			if err := spools[c.Name].SetSpare(spools[c.Spare]); err != nil {
				return err
			}
		}
		p.Printers = append(p.Printers, spools[c.Name])
	}
	b.mount("/technician/printers", p.Handler())
	b.mount("/technician/tickets", b.previewer(glyphs).Handler())
	return nil
}

// mount serves a page to technicians only. The site is made later: it is asked when
// the page is.
func (b *box) mount(at string, h http.Handler) {
	page := http.StripPrefix(at, h)
	b.mux.HandleFunc(at+"/", func(rw http.ResponseWriter, r *http.Request) {
		b.site.Require(page, web.RoleTechnician).ServeHTTP(rw, r)
	})
}

func (b *box) makePrinter(p config.Printer, glyphs escpos.Glyphs, layouts *ticketLayouts) (*printer.Spool, error) {
	profile, err := b.conf.Model(p)
	if err != nil {
		return nil, err
	}
	profile.Baud = parts.WireSpeed(p) // the spool's patience depends on the wire
	name := "printer " + p.Name
	pulse := b.pulse(name, deviceSilence)
	link := b.link(b.port("printer", p.Name), pulse.beat)
	spool, err := printer.NewSpool(printer.Options{
		Name: p.Name, Profile: profile, Language: parts.Language(p.Driver, profile, glyphs), Link: link,
		Jobs: jobs{b.store, pulse.beat},
		Hall: func() *kiosk.Hall { return b.conf.Hall }, Layout: layouts.page(profile),
		OnNotice: func(job int64, what string) {
			b.log.Warn("paper lacks something", "device", name, "job", job, "what", what)
		},
		OnChange: func(s printer.State) {
			b.health.tell(name, doctor.OfPrinter(s.Status), printerSays(s, link.Health()))
			b.desk.Changed()
		},
	})
	if err != nil {
		return nil, err
	}
	b.try(name, "打测试票", "Print a test slip", func(ctx context.Context) error { return spool.Test(ctx, b.testSlip(p)) })
	b.printers[p.Name], b.spools[name] = spool, spool
	b.printing = append(b.printing, part{name, spool.Run, pulse})
	return spool, nil
}

// printerSays is a printer's state in a technician's words: what to do, what the
// printer said, and what its wire did.
func printerSays(s printer.State, link device.Health) string {
	if s.Status == 0 {
		return ready
	}
	text := s.Clerk().EN + "; " + s.Technician().EN
	if link.State == device.Broken {
		text += "; " + link.Reason
	}
	return text
}
