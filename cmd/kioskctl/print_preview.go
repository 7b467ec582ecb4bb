package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"longcheng/cmd/internal/config"
	"longcheng/device/glyph"
	"longcheng/kiosk"
	"longcheng/printer"
	"longcheng/printer/escpos"
	"longcheng/printer/preview"
	"longcheng/printer/raster"
)

// previewFlags are what print-preview is told.
type previewFlags struct {
	hall, profile, layout, item, class, logo, out string
	copied                                        bool
}

func printPreviewCommand(out io.Writer) *cobra.Command {
	var f previewFlags
	c := &cobra.Command{
		Use: "print-preview", Args: cobra.NoArgs,
		Short: "Draw a ticket as PNG, with the exact dots of a printer model",
		Long: "Draw a ticket as PNG, with the exact dots of a printer model. The layout is one of\n" +
			"standard, bilingual, elder and plain, or a file of your own; the profile one of the\n" +
			"built-in ones, or a file of your own.",
		RunE: func(*cobra.Command, []string) error { return f.run(out) },
	}
	fs := c.Flags()
	fs.StringVar(&f.hall, "hall", "", "hall document; without it a small made-up hall")
	fs.StringVar(&f.profile, "profile", "generic80", "printer profile, or a file ending in .toml")
	fs.StringVar(&f.layout, "layout", "standard", "layout, or a file ending in .ticket")
	fs.StringVar(&f.item, "item", "", "item of the hall; without it the first")
	fs.StringVar(&f.class, "class", "", "priority class of the hall")
	fs.StringVar(&f.logo, "logo", "", "picture to dither and print where the layout says logo")
	fs.StringVarP(&f.out, "out", "o", "ticket.png", "file to write")
	fs.BoolVar(&f.copied, "copy", false, "mark it as a copy")
	return c
}

func (f previewFlags) run(out io.Writer) error {
	hall, err := f.readHall()
	if err != nil {
		return err
	}
	p := &preview.Previewer{Hall: func() *kiosk.Hall { return hall }, Glyphs: raster.Faces(glyph.Face24(), glyph.Face16())}
	profile, err := readProfile(f.profile)
	if err != nil {
		return err
	}
	p.Profiles = []printer.Profile{profile}
	if f.logo != "" {
		if p.Logo, err = readLogo(f.logo, profile.Dots/2); err != nil {
			return err
		}
	}
	text, err := readLayout(f.layout)
	if err != nil {
		return err
	}
	d, err := p.Draw(preview.Order{Template: text, Profile: profile.Name, Item: f.item, Class: f.class, Copy: f.copied})
	if err != nil {
		return err
	}
	if len(d.Errors) > 0 {
		return fmt.Errorf("layout %s:\n  %s", f.layout, strings.Join(d.Errors, "\n  "))
	}
	if err := os.WriteFile(f.out, d.PNG, 0o644); err != nil {
		return fmt.Errorf("write preview: %w", err)
	}
	fmt.Fprintf(out, "%s: %d x %d dots, %d bytes to the printer\n", f.out, profile.Dots, d.Rows, d.Bytes)
	if len(d.Missing) > 0 {
		fmt.Fprintf(out, "no glyph, printed as numbers: %s\n", strings.Join(d.Missing, " "))
	}
	return nil
}

func (f previewFlags) readHall() (*kiosk.Hall, error) {
	if f.hall == "" {
		return &kiosk.Hall{
			ID: "sample", Name: kiosk.Text{ZH: "龙城市政务服务中心", EN: "Longcheng Service Centre"},
			Rules:       kiosk.Rules{PhoneURL: "https://hall.example/v/"},
			Departments: []kiosk.Department{{ID: "police", Name: kiosk.Text{ZH: "市公安局", EN: "Public Security Bureau"}}},
			Items: []kiosk.Item{{
				ID: "id-card", Department: "police", Name: kiosk.Text{ZH: "居民身份证申领", EN: "Apply for an identity card"},
				Bring: []kiosk.Text{{ZH: "居民户口簿", EN: "Household register"}, {ZH: "旧身份证", EN: "Old card"}},
			}},
		}, nil
	}
	hall, found := config.LoadHall(f.hall)
	if config.Broken(found) {
		errs := make([]error, len(found))
		for i, x := range found {
			errs[i] = x
		}
		return nil, errors.Join(errs...)
	}
	return hall, nil
}

// readProfile takes a name or a file.
func readProfile(name string) (printer.Profile, error) {
	if strings.HasSuffix(name, ".toml") {
		return printer.ReadProfile(name)
	}
	return printer.ProfileNamed(name)
}

// readLayout takes a name or a file, and returns the document.
func readLayout(name string) (string, error) {
	if text, ok := printer.SampleText(name); ok {
		return text, nil
	}
	if !strings.HasSuffix(name, ".ticket") {
		return "", fmt.Errorf("layout %q: not known: use standard, bilingual, elder, plain or a file ending in .ticket", name)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("read layout: %w", err)
	}
	return string(b), nil
}

// readLogo dithers a picture.
func readLogo(name string, width int) (*glyph.Bitmap, error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read logo: %w", err)
	}
	defer r.Close()
	m, err := raster.ReadImage(r)
	if err != nil {
		return nil, fmt.Errorf("logo %s: %w", name, err)
	}
	return raster.Dither(m, width), nil
}

func storeLogoCommand(out io.Writer) *cobra.Command {
	width, file := 0, ""
	c := &cobra.Command{
		Use: "logo PICTURE", Args: cobra.ExactArgs(1),
		Short: "Make the bytes that store a logo in a printer's memory, for commissioning",
		Long: "Make the bytes that store a logo in a printer's memory (FS q), from a PNG or JPEG picture.\n" +
			"Send the file to the printer once, while the daemon is stopped, and set nv_logo = 1 in\n" +
			"the printer's profile. Makers allow about ten such writes a day.",
		RunE: func(_ *cobra.Command, args []string) error {
			m, err := readLogo(args[0], width)
			if err != nil {
				return err
			}
			if err := os.WriteFile(file, escpos.StoreLogo(m), 0o644); err != nil {
				return fmt.Errorf("write logo: %w", err)
			}
			_, err = fmt.Fprintf(out, "%s: %d x %d dots\n", file, m.W, m.H)
			return err
		},
	}
	c.Flags().IntVar(&width, "width", 288, "dots; 288 is half of an 80 mm paper")
	c.Flags().StringVarP(&file, "out", "o", "logo.bin", "file to write")
	return c
}
