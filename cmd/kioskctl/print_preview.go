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

func printPreviewCommand(t *tool) *cobra.Command {
	var f previewFlags
	c := &cobra.Command{
		Use: "print-preview", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return f.run(t) },
	}
	fs := c.Flags()
	fs.StringVar(&f.hall, "hall", "", "")
	fs.StringVar(&f.profile, "profile", "generic80", "")
	fs.StringVar(&f.layout, "layout", "standard", "")
	fs.StringVar(&f.item, "item", "", "")
	fs.StringVar(&f.class, "class", "", "")
	fs.StringVar(&f.logo, "logo", "", "")
	fs.StringVarP(&f.out, "out", "o", "ticket.png", "")
	fs.BoolVar(&f.copied, "copy", false, "")
	return c
}

func (f previewFlags) run(t *tool) error {
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
	drawn := struct {
		File    string   `json:"file"`
		Width   int      `json:"width"`
		Rows    int      `json:"rows"`
		Bytes   int      `json:"bytes"`
		Missing []string `json:"missing,omitempty"`
	}{f.out, profile.Dots, d.Rows, d.Bytes, d.Missing}
	return t.tell(drawn, func(io.Writer) error {
		t.say(words()["drawn"], f.out, profile.Dots, d.Rows, d.Bytes)
		if len(d.Missing) > 0 {
			t.say(words()["no-glyph"], strings.Join(d.Missing, " "))
		}
		return nil
	})
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

func storeLogoCommand(t *tool) *cobra.Command {
	width, file := 0, ""
	c := &cobra.Command{
		Use: "logo PICTURE", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			m, err := readLogo(args[0], width)
			if err != nil {
				return err
			}
			if err := os.WriteFile(file, escpos.StoreLogo(m), 0o644); err != nil {
				return fmt.Errorf("write logo: %w", err)
			}
			return t.done(map[string]any{"file": file, "width": m.W, "height": m.H}, words()["logo"], file, m.W, m.H)
		},
	}
	c.Flags().IntVar(&width, "width", 288, "")
	c.Flags().StringVarP(&file, "out", "o", "logo.bin", "")
	return c
}
