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
	"longcheng/kiosk"
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
	t := b.tester(conf)
	sheet, err := t.Accept(ctx, by, version)
	if err != nil {
		return err
	}
	doc, err := t.Seal(sheet)
	if err != nil {
		return err
	}
	file, err := t.Keep(doc)
	if err != nil {
		return err
	}
	if print && len(conf.Printers) > 0 {
		if err := b.printSheet(ctx, t, doc); err != nil {
			return err
		}
	}
	if err := b.tellSheet(sheet, file); err != nil {
		return err
	}
	if !sheet.Good {
		return errNotAccepted
	}
	return nil
}

// printSheet prints on the first printer. A sheet that does not come out is told;
// the result stands in its file.
func (b *bench) printSheet(ctx context.Context, t *commission.Tester, doc commission.Document) error {
	page, err := doc.Slip()
	if err != nil {
		return err
	}
	done, err := t.Print(ctx, t.Conf.Printers[0], page)
	if err != nil {
		return err
	}
	if done.Result != commission.Good {
		t.Person.Tell(kiosk.Text{ZH: "验收单未打印：" + done.Detail.ZH, EN: "the sheet was not printed: " + done.Detail.EN})
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
