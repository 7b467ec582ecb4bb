package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"longcheng/cmd/internal/config"
	"longcheng/device"
	"longcheng/device/scanner"
)

func (b *bench) scannerCommand() *cobra.Command {
	set, baud := scanner.GM65{}, 9600
	c := &cobra.Command{
		Use: "setup-scanner SCANNER|PORT", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return b.on(c, args[0], "scanner", baud, func(p config.Port, port device.Port) error {
				changed, err := set.SetUp(c.Context(), port)
				if err != nil {
					return fmt.Errorf("set up %s: %w", p.File, err)
				}
				return b.tellSetUp(p.File, set, changed)
			})
		},
	}
	c.Flags().StringVar((*string)(&set.Mode), "mode", string(scanner.Sense), "")
	among(c, "mode", string(scanner.Sense), string(scanner.Continuous), string(scanner.Key))
	c.Flags().BoolVar(&set.Light, "light", true, "")
	c.Flags().BoolVar(&set.Beep, "beep", true, "")
	c.Flags().IntVar(&baud, "baud", 9600, "")
	return c
}

func (b *bench) tellSetUp(port string, set scanner.GM65, changed bool) error {
	key := "scanner-set"
	if !changed {
		key = "scanner-was-so"
	}
	v := map[string]any{"port": port, "mode": set.Mode, "light": set.Light, "beep": set.Beep, "changed": changed}
	return b.done(v, words()[key], port, set.Mode, set.Light, set.Beep)
}
