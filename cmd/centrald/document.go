package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"longcheng/central"
	"longcheng/central/server"
	"longcheng/central/store"
	boxes "longcheng/cmd/internal/config"
	"longcheng/kiosk"
)

// readHall reads and checks a hall document as boxes do.
func readHall(text []byte) (*kiosk.Hall, []server.Finding) {
	h, found := boxes.ParseHall("hall.toml", text)
	return h, findings(found)
}

func findings(found []boxes.Finding) (list []server.Finding) {
	for _, f := range found {
		list = append(list, server.Finding{Line: f.Line, Text: f.Text, Remedy: f.Remedy, ZH: f.ZH, Warning: f.Warning})
	}
	return list
}

// checkBox reads the documents of a box as it will.
func checkBox(files map[string][]byte) ([]server.Finding, error) {
	dir, err := os.MkdirTemp("", "box-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), text, 0o600); err != nil {
			return nil, err
		}
	}
	_, found := boxes.Load(filepath.Join(dir, "kioskd.toml"))
	return findings(found), nil
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
