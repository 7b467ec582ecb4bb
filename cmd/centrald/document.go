package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"longcheng/central"
	"longcheng/central/server"
	"longcheng/central/store"
	boxes "longcheng/cmd/internal/config"
	"longcheng/kiosk"
)

// readHall reads and checks a hall document as boxes do.
func readHall(text []byte) (h *kiosk.Hall, list []server.Finding) {
	h, found := boxes.ParseHall("hall.toml", text)
	for _, f := range found {
		list = append(list, server.Finding{Line: f.Line, Text: f.Text, Remedy: f.Remedy, ZH: f.ZH, Warning: f.Warning})
	}
	return h, list
}

// document keeps the next version of a hall's document: that of a file, with the
// files that it includes.
func document(ctx context.Context, c *config, args []string, out, errs io.Writer) error {
	if len(args) != 3 || !central.CheckName(args[0]) {
		return errors.New("document: give the hall, the file of its document, and what was changed")
	}
	_, found := boxes.LoadHall(args[1])
	for _, f := range found {
		fmt.Fprintln(errs, f)
	}
	if boxes.Broken(found) {
		return errors.New("document: not saved: correct what is wrong")
	}
	text, err := boxes.JoinHall(args[1])
	if err != nil {
		return fmt.Errorf("document: %w", err)
	}
	if len(text) > central.MaxHallText {
		return fmt.Errorf("document: it is longer than %d KiB", central.MaxHallText>>10)
	}
	_, s, err := open(ctx, c)
	if err != nil {
		return err
	}
	n, err := save(ctx, s, store.Version{Name: args[0], Text: string(text), Note: args[2], Author: "console"})
	if err == nil {
		fmt.Fprintf(out, "version %d\n", n)
	}
	return errors.Join(err, s.Close())
}

// save keeps v after the newest version there is.
func save(ctx context.Context, s *store.Store, v store.Version) (int64, error) {
	list, err := s.Versions(ctx, v.Name)
	if err != nil {
		return 0, err
	}
	base := int64(0)
	if len(list) > 0 {
		base = list[0].Number
	}
	return s.SaveVersion(ctx, v, base)
}
