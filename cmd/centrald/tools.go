package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"longcheng/central"
	"longcheng/central/ca"
	"longcheng/central/server"
	"longcheng/central/store"
	"longcheng/kiosk/signin"
)

// codeLife is how long an enrolment code is good.
const codeLife = 10 * time.Minute

// open opens the authority and the store.
func open(ctx context.Context, c *config) (*ca.Authority, *store.Store, error) {
	if err := os.MkdirAll(c.State, 0o700); err != nil {
		return nil, nil, fmt.Errorf("state directory: %w: create it, or name another with -state", err)
	}
	a, err := ca.Open(c.State, time.Now)
	if err != nil {
		return nil, nil, err
	}
	s, err := store.Open(ctx, store.Options{DSN: c.dsn(), Zone: c.zone})
	return a, s, err
}

// enrolCode makes a code for one box and prints it.
func enrolCode(ctx context.Context, c *config, args []string, out, _ io.Writer) error {
	if len(args) != 3 || !central.CheckName(args[0]) || !central.CheckName(args[1]) || !central.CheckName(args[2]) {
		return errors.New("enrol-code: give hall, device and role, each 1 to 32 letters, digits, dots, dashes or underscores")
	}
	a, s, err := open(ctx, c)
	if err != nil {
		return err
	}
	code := central.Code{At: c.Boxes.Address, Secret: central.NewSecret(), Root: a.Fingerprint()}
	err = s.AddCode(ctx, code.Secret, store.Code{
		Device: store.Device{Hall: args[0], Device: args[1]}, Role: args[2], Maker: "console", Ends: time.Now().Add(codeLife),
	})
	if err == nil {
		fmt.Fprintln(out, code)
	}
	return errors.Join(err, s.Close())
}

// check opens everything that run would open, and says what it found.
func check(ctx context.Context, c *config, _ []string, out, _ io.Writer) error {
	a, s, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, addr := range []string{c.Boxes.Listen, c.Pages.Listen} {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("listen: %w: stop the other program or name another address", err)
		}
		l.Close()
	}
	if err := s.Ping(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "good: %s, boxes at %s as %s, pages at %s, authority %s\n", c.engine(), c.Boxes.Listen, c.Boxes.Address, c.Pages.Listen, a.Fingerprint())
	return nil
}

// user lets a person in, with a password that is printed once.
func user(ctx context.Context, c *config, args []string, out, _ io.Writer) error {
	if len(args) < 2 || len(args) > 3 || !central.CheckName(args[0]) || !server.CheckRole(args[1]) {
		return errors.New("user: give name, role (clerk, manager, technician, supervisor or city) and, for one hall only, the hall")
	}
	p := store.Person{Name: args[0], Role: args[1]}
	if len(args) == 3 {
		p.Hall = args[2]
	}
	if p.Hall == "" && (p.Role == server.RoleClerk || p.Role == server.RoleManager) {
		return fmt.Errorf("user: a %s belongs to a hall: name it", p.Role)
	}
	_, s, err := open(ctx, c)
	if err != nil {
		return err
	}
	password := rand.Text()[:16]
	p.Hash = signin.Hash(password)
	if err := s.SavePerson(ctx, p, "console"); err != nil {
		return errors.Join(err, s.Close())
	}
	fmt.Fprintf(out, "%s\n", password)
	return s.Close()
}

// send gives a box a message, which it gets as soon as it listens.
func send(ctx context.Context, c *config, args []string, out, _ io.Writer) error {
	if len(args) != 5 {
		return errors.New("send: give hall, device, stream (documents or commands), name and a file of JSON")
	}
	body, err := os.ReadFile(args[4])
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	_, s, err := open(ctx, c)
	if err != nil {
		return err
	}
	d := store.Device{Hall: args[0], Device: args[1]}
	m, err := s.Send(ctx, d, central.Message{Stream: args[2], Name: args[3], Body: body})
	if err == nil {
		err = s.Note(ctx, store.Audit{Who: "console", What: "sent", Hall: d.Hall, Device: d.Device, Text: fmt.Sprintf("%s %d, %s", m.Stream, m.Number, m.Name)})
		fmt.Fprintf(out, "%s %d\n", m.Stream, m.Number)
	}
	return errors.Join(err, s.Close())
}
