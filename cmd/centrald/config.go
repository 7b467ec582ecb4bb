package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
	_ "time/tzdata" // a server may have been installed without zones

	"github.com/pelletier/go-toml/v2"

	"longcheng/central/server"
)

// config is the configuration file; deploy/centrald.toml explains it.
type config struct {
	State    string `toml:"state"`
	Database string `toml:"database"` // empty: an SQLite file in state
	TimeZone string `toml:"timezone"` // of the halls: IANA name
	Boxes    struct {
		Listen  string   `toml:"listen"`
		Names   []string `toml:"names"`   // by which boxes reach the centre
		Address string   `toml:"address"` // host:port that enrolment codes carry
		Rate    float64  `toml:"rate"`    // requests a second of one box
		Streams int      `toml:"streams"` // boxes connected at once
	} `toml:"boxes"`
	Releases struct {
		Directory string `toml:"directory"` // copy of the maintainer's depot; empty: boxes are offered nothing
	} `toml:"releases"`
	Pages struct {
		Listen string `toml:"listen"`
		Cert   string `toml:"cert"` // empty: plain HTTP, for this machine or for a proxy before it
		Key    string `toml:"key"`
	} `toml:"pages"`
	Hooks           []server.Hook `toml:"hook"`
	verbose, oneWay bool
	zone            *time.Location
}

// load reads the configuration, if one is named, and lays the flags over it.
func load(set settings) (*config, error) {
	c := &config{State: "/var/lib/longcheng-centre", TimeZone: "Asia/Shanghai", verbose: set.verbose, oneWay: set.oneWay}
	c.Boxes.Listen, c.Pages.Listen = ":8443", "127.0.0.1:8480"
	if set.config != "" {
		if err := c.read(set.config); err != nil {
			return nil, err
		}
	}
	for flag, at := range map[*string]*string{&set.state: &c.State, &set.database: &c.Database, &set.boxes: &c.Boxes.Listen, &set.pages: &c.Pages.Listen} {
		if *flag != "" {
			*at = *flag
		}
	}
	if len(c.Boxes.Names) == 0 {
		c.Boxes.Names = []string{"localhost", "127.0.0.1"}
		if host, err := os.Hostname(); err == nil {
			c.Boxes.Names = append([]string{host}, c.Boxes.Names...)
		}
	}
	return c, c.complete()
}

func (c *config) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	var strict *toml.StrictMissingError
	err = toml.NewDecoder(f).DisallowUnknownFields().Decode(c)
	if errors.As(err, &strict) {
		return fmt.Errorf("read configuration %s: there are settings nobody knows:\n%s", path, strict.String())
	}
	if err != nil {
		return fmt.Errorf("read configuration %s: %w", path, err)
	}
	return nil
}

// complete fills in what follows from the rest and refuses what cannot be.
func (c *config) complete() error {
	var err error
	if c.zone, err = time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "Local" || c.TimeZone == "" {
		return fmt.Errorf("timezone: there is no time zone %q: write an IANA name such as \"Asia/Shanghai\"", c.TimeZone)
	}
	_, port, err := net.SplitHostPort(c.Boxes.Listen)
	if err != nil {
		return fmt.Errorf("boxes.listen: %w: write address and port, such as :8443", err)
	}
	if c.Boxes.Address == "" {
		c.Boxes.Address = net.JoinHostPort(c.Boxes.Names[0], port)
	}
	if _, _, err := net.SplitHostPort(c.Pages.Listen); err != nil {
		return fmt.Errorf("pages.listen: %w: write address and port, such as 127.0.0.1:8480", err)
	}
	if (c.Pages.Cert == "") != (c.Pages.Key == "") {
		return errors.New("pages.cert and pages.key: one is missing: give both or none")
	}
	seen := map[string]bool{}
	for _, h := range c.Hooks {
		if err := h.Check(); err != nil {
			return err
		}
		if seen[h.Name] {
			return fmt.Errorf("hook %s: there are two: give each a name of its own", h.Name)
		}
		seen[h.Name] = true
	}
	if c.Boxes.Rate < 0 || c.Boxes.Streams < 0 {
		return errors.New("boxes.rate or boxes.streams: is negative: leave it out for the default")
	}
	return nil
}

func (c *config) dsn() string {
	if c.Database != "" {
		return c.Database
	}
	return filepath.Join(c.State, "centre.db")
}

// engine names the database without its secrets.
func (c *config) engine() string {
	if strings.HasPrefix(c.Database, "postgres") {
		return "PostgreSQL"
	}
	return c.dsn()
}
