package commission

import (
	"fmt"
	"strings"
)

// propose writes what was found as a part of a configuration. What the
// configuration has already is left out.
func (s *Scanner) propose(found []Found) string {
	var b strings.Builder
	names := s.names()
	fresh := func(kind string) string {
		for n := 1; ; n++ {
			name := fmt.Sprintf("%s-%d", kind, n)
			if !names[name] {
				names[name] = true
				return name
			}
		}
	}
	for _, f := range found {
		if f.Known != "" {
			continue
		}
		switch f.Sort {
		case SortPrinter:
			table(&b, f, "printer", fresh("printer"), "escpos", fmt.Sprintf("profile = %q", guess(f.Model)))
		case SortReader:
			table(&b, f, "reader", fresh("reader"), "sam")
		case SortScanner:
			table(&b, f, "scanner", fresh("scanner"), "serial")
		case SortBoard:
			for _, a := range f.Addresses[:1] { // a port has one owner: more boards on one wire are not driven
				table(&b, f, "board", fresh("board"), "modbus", fmt.Sprintf("address = %d\ninputs = %d\ncoils = %d", a, f.Inputs, f.Coils))
			}
		case SortLine:
			line := fresh("line")
			table(&b, f, "line", line, "")
			for _, a := range f.Addresses {
				fmt.Fprintf(&b, "[[strip]]\nname = %q\nline = %q\ndriver = \"onbon-k\"\naddress = %d\nwidth = 192   # dots: measure, or see its label\nheight = 32\nwindow = \"\"   # id of a window of the hall\n\n", fresh("strip"), line, a)
			}
		}
	}
	return b.String()
}

// names are those that the configuration has given away.
func (s *Scanner) names() map[string]bool {
	names := map[string]bool{}
	if s.Conf == nil {
		return names
	}
	for _, p := range s.Conf.Ports() {
		_, name, _ := strings.Cut(p.Device, " ")
		names[name] = true
	}
	for _, x := range s.Conf.Strips {
		names[x.Name] = true
	}
	return names
}

func table(b *strings.Builder, f Found, kind, name, driver string, more ...string) {
	fmt.Fprintf(b, "[[%s]]", kind)
	if f.Model != "" {
		fmt.Fprintf(b, "   # %s", strings.ReplaceAll(f.Model, "\n", " "))
	}
	fmt.Fprintf(b, "\nname = %q\n", name)
	if driver != "" {
		fmt.Fprintf(b, "driver = %q\n", driver)
	}
	fmt.Fprintf(b, "port = %q\n", f.Port)
	if f.Baud > 0 {
		fmt.Fprintf(b, "baud = %d\n", f.Baud)
	}
	for _, m := range more {
		fmt.Fprintln(b, m)
	}
	fmt.Fprintln(b)
}
