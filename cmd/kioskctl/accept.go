package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"longcheng/central"
	"longcheng/cmd/internal/commission"
	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/door"
)

// errNotAccepted ends accept with exit status 1 after the sheet was printed.
var errNotAccepted = errors.New("the box is not accepted: mend what is marked ✗ and run it again")

func (b *bench) acceptCommand() *cobra.Command {
	by, noPrint, verify := "", false, ""
	c := &cobra.Command{
		Use: "accept", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if verify != "" {
				return b.verifySheet(verify)
			}
			conf, err := b.load(c, true)
			if err != nil {
				return err
			}
			return b.accept(c.Context(), conf, by, !noPrint)
		},
	}
	c.Flags().StringVar(&by, "by", os.Getenv("SUDO_USER"), "")
	c.Flags().BoolVar(&noPrint, "no-print", false, "")
	c.Flags().StringVar(&verify, "verify", "", "")
	b.personFlags(c)
	return c
}

func (b *bench) accept(ctx context.Context, conf *config.Config, by string, print bool) error {
	sheet, file, err := b.tester(conf).Accept(ctx, by, version, print)
	if err != nil {
		return err
	}
	if err := b.tellSheet(sheet, file); err != nil {
		return err
	}
	if !sheet.Good {
		return errNotAccepted
	}
	return nil
}

func (b *bench) tellSheet(s commission.Sheet, file string) error {
	return b.tell(s, func(w io.Writer) error {
		for _, v := range append([]commission.Verdict{s.Box}, s.Devices...) {
			if err := writeVerdict(w, v); err != nil {
				return err
			}
		}
		is := commission.Verdict{Good: s.Good}.Text()
		_, err := fmt.Fprintf(w, "%s: %s / %s\n%s\n", s.Device, is.ZH, is.EN, file)
		return err
	})
}

// verifySheet says who signed a sheet. The authority is that of this box's pass,
// if it has one.
func (b *bench) verifySheet(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("verify sheet: %w", err)
	}
	roots, trust := b.roots()
	s, id, err := commission.ReadDocument(text, roots)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if id == (central.Identity{}) {
		trust = "not signed 未签名"
	} else {
		trust = fmt.Sprintf("signed by %s of hall %s, %s", id.Device, id.Hall, trust)
	}
	if err := b.tellSheet(s, file); err != nil || b.json {
		return err
	}
	_, err = fmt.Fprintln(b.out, trust)
	return err
}

func (b *bench) roots() (pool *x509.CertPool, trust string) {
	for _, dir := range []string{config.CentrePass(b.state), door.PassDir(b.state)} {
		if pool, err := central.Roots(dir); err == nil {
			return pool, "checked with the authority of " + dir
		}
	}
	return nil, "by a certificate of an authority that is not known here"
}
