package config

import "net"

// centre checks where the hall's journal goes.
func (k *checker) centre() {
	at := k.c.Centre.Address
	if at == "" {
		return
	}
	if host, port, err := net.SplitHostPort(at); err != nil || host == "" || port == "0" || !decimal(port, 65535) {
		k.bad("centre.address", `write it as the centre's codes do, such as address = "centre.example.cn:8443"`, "%q is no address of a centre", at)
	}
}
