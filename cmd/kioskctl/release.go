package main

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"longcheng/cmd/internal/release"
)

// made is the time of the commit in seconds, set by the linker.
var made = ""

// serial is the number that orders releases.
func serial() (int64, error) {
	n, err := strconv.ParseInt(made, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("this program was built without a serial (%q): build it with make deb", made)
	}
	return n, nil
}

// depotFlags are those of the maintainer's commands.
type depotFlags struct {
	keys []string
	days int
}

func (f *depotFlags) open(dir string) (*release.Depot, error) {
	keys, err := release.ReadKeys(f.keys...)
	if err != nil {
		return nil, err
	}
	return release.OpenDepot(dir, keys, time.Now)
}

func (f *depotFlags) fresh() time.Duration { return time.Duration(f.days) * 24 * time.Hour }

func releaseCommand(t *tool) *cobra.Command {
	f := &depotFlags{}
	c := &cobra.Command{Use: "release"}
	c.PersistentFlags().StringSliceVar(&f.keys, "keys", nil, "")
	c.PersistentFlags().IntVar(&f.days, "days", 90, "")
	c.AddCommand(keysCommand(t), initCommand(t, f), bundleCommand(t), describeCommand(t), addCommand(t, f), renewCommand(t, f), rotateCommand(t, f), listCommand(t))
	return c
}

func keysCommand(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "keys DIR [ROLE...]", Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			roles := args[1:]
			if len(roles) == 0 {
				roles = release.Roles()
			}
			for _, role := range roles {
				if err := release.WriteKey(args[0], role, release.NewKey()); err != nil {
					return err
				}
			}
			said := "keys"
			if slices.Contains(roles, release.Roles()[0]) {
				said = "root-key"
			}
			return t.done(map[string]any{"roles": roles, "directory": args[0]}, words()[said], strings.Join(roles, " "), args[0])
		},
	}
}

func initCommand(t *tool, f *depotFlags) *cobra.Command {
	return &cobra.Command{
		Use: "init DEPOT", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			keys, err := release.ReadKeys(f.keys...)
			if err != nil {
				return err
			}
			if _, err := release.NewDepot(args[0], keys, time.Now); err != nil {
				return err
			}
			root := filepath.Join(args[0], "1.root.json")
			return t.done(map[string]string{"root": root}, words()["depot"], root)
		},
	}
}

// bundleCommand packs programs of the commit that this kioskctl is of.
func bundleCommand(t *tool) *cobra.Command {
	arch := debianArch()
	c := &cobra.Command{
		Use: "bundle OUT PROGRAM...", Args: cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := own()
			if err != nil {
				return err
			}
			r.Arch = arch
			if err := r.Check(); err != nil {
				return err
			}
			if err := bundle(args[0], args[1:], time.Unix(r.Serial, 0)); err != nil {
				return err
			}
			if err := writeDescription(args[0], r); err != nil {
				return err
			}
			return t.tell(r, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, args[0])
				return err
			})
		},
	}
	c.Flags().StringVar(&arch, "arch", arch, "")
	return c
}

// describeCommand prints what a release of this commit is, for add.
func describeCommand(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "describe KIND", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := own()
			r.Kind = args[0]
			if err == nil {
				err = r.Check()
			}
			if err != nil {
				return err
			}
			return json.NewEncoder(t.out).Encode(r)
		},
	}
}

// writeDescription puts what is known of a release beside its file, for add.
func writeDescription(file string, r release.Release) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(file+".json", append(text, '\n'), 0o644)
}

// bundle writes the same bytes for the same programs.
func bundle(to string, programs []string, when time.Time) (err error) {
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	zip, _ := gzip.NewWriterLevel(f, gzip.BestCompression) // a level that exists
	archive := tar.NewWriter(zip)
	for _, p := range programs {
		text, err := os.ReadFile(p)
		if err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
		if err := archive.WriteHeader(&tar.Header{Name: filepath.Base(p), Mode: 0o755, Size: int64(len(text)), ModTime: when, Format: tar.FormatUSTAR}); err != nil {
			return err
		}
		if _, err := archive.Write(text); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zip.Close())
}

func addCommand(t *tool, f *depotFlags) *cobra.Command {
	return &cobra.Command{
		Use: "add DEPOT FILE...", Args: cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := f.open(args[0])
			if err != nil {
				return err
			}
			var all []release.Release
			for _, file := range args[1:] {
				var r release.Release
				text, err := os.ReadFile(file + ".json")
				if err == nil {
					err = json.Unmarshal(text, &r)
				}
				if err != nil {
					return fmt.Errorf("add %s: %w: make it with kioskctl release bundle", file, err)
				}
				if err := d.Add(file, r); err != nil {
					return err
				}
				all = append(all, r)
			}
			if err := d.Publish(f.fresh()); err != nil {
				return err
			}
			return t.tell(all, func(w io.Writer) (err error) {
				for _, r := range all {
					_, err = fmt.Fprintln(w, r.File())
				}
				return err
			})
		},
	}
}

func renewCommand(t *tool, f *depotFlags) *cobra.Command {
	return &cobra.Command{
		Use: "renew DEPOT", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := f.open(args[0])
			if err != nil {
				return err
			}
			if err := d.Renew(f.fresh()); err != nil {
				return err
			}
			return t.done(map[string]time.Time{"until": d.Fresh()}, words()["fresh"], d.Fresh().Format(time.DateOnly))
		},
	}
}

func rotateCommand(t *tool, f *depotFlags) *cobra.Command {
	return &cobra.Command{
		Use: "rotate DEPOT ROLE DIR", Args: cobra.ExactArgs(3),
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := f.open(args[0])
			if err != nil {
				return err
			}
			key := release.NewKey()
			if err := release.WriteKey(args[2], args[1], key); err != nil {
				return err
			}
			if err := d.Rotate(args[1], key); err != nil {
				return err
			}
			return t.done(map[string]string{"role": args[1], "directory": args[2]}, words()["rotated"], args[1], args[2])
		},
	}
}

func listCommand(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "list DEPOT", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			d, err := release.OpenDepot(args[0], nil, time.Now)
			if err != nil {
				return err
			}
			return t.tell(map[string]any{"releases": d.Releases(), "until": d.Fresh()}, func(w io.Writer) error {
				for _, r := range d.Releases() {
					fmt.Fprintf(w, "%s\t%s\t%s\tschema %d\t%d MiB\n", r.Version, r.Kind, r.Arch, r.Schema, r.Bytes>>20)
				}
				t.say(words()["fresh"], d.Fresh().Format(time.DateOnly))
				return nil
			})
		},
	}
}
