package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
)

// several checks what a box of a hall of several boxes needs.
func (k *checker) several() {
	c := k.c
	for i, u := range c.Join.Host {
		p, err := url.Parse(u)
		if err != nil || p.Scheme != "https" || p.Port() == "" || p.Hostname() == "" || p.Path != "" {
			k.bad(fmt.Sprintf("join.host[%d]", i), `write it as host = ["https://10.0.0.2:8443"]`, "%q is no address of a hall's host", u)
		}
	}
	if c.Joined() && c.Host.Listen != "" {
		k.bad("host.listen", "keep [host] on the box that hosts the hall, [join] on the others", "a box that has joined a hall hosts none")
	}
	k.listener("host", c.Host)
	k.listener("standin", c.Standin)
	if c.Standin.Listen != "" && !slices.Contains(c.Join.Host, "https://"+c.Standin.Address) {
		k.bad("standin.address", "write join.host of every box with both, the host's address first", "join.host does not name %q, so no box would find this one", c.Standin.Address)
	}
}

// listener checks how a box lets others in.
func (k *checker) listener(table string, h Host) {
	if h == (Host{}) {
		return
	}
	if _, port, err := net.SplitHostPort(h.Listen); err != nil || !decimal(port, 65535) {
		k.bad(table+".listen", `write address and port, such as listen = ":8443"`, "%q is no address to listen on", h.Listen)
	}
	if host, port, err := net.SplitHostPort(h.Address); err != nil || host == "" || !decimal(port, 65535) {
		k.bad(table+".address", `write how the boxes reach this one, such as address = "10.0.0.2:8443"`, "%q is no address", h.Address)
	}
}
