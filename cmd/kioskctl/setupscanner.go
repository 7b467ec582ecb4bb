package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"longcheng/cmd/internal/parts"
	"longcheng/device/scanner"
)

func (b *bench) scannerCommand() *cobra.Command {
	set, baud := scanner.GM65{}, 9600
	c := &cobra.Command{
		Use: "setup-scanner SCANNER|PORT", Args: cobra.ExactArgs(1),
		Short: "Set up a scanner of the GM65 family, for good 设置 GM65 系列扫码模块",
		Long: "Set when a GM65, GM805 or GM861 reads, whether its light shines and whether it beeps; read\n" +
			"the settings back and have the module keep them. Other scanners are set with the codes of\n" +
			"their manuals. Stop kioskd first.\n" +
			"设置读取方式、补光和提示音，回读确认并保存到模块。请先 systemctl stop kioskd。",
		RunE: func(c *cobra.Command, args []string) error {
			p, err := b.port(c, args[0], "scanner", baud)
			if err != nil {
				return err
			}
			port, err := parts.Opener(b.state, p)(c.Context())
			if err != nil {
				return shut(b.state, p, err)
			}
			defer port.Close()
			changed, err := set.SetUp(c.Context(), port)
			if err != nil {
				return fmt.Errorf("set up %s: %w", p.File, err)
			}
			return b.tellSetUp(p.File, set, changed)
		},
	}
	c.Flags().StringVar((*string)(&set.Mode), "mode", string(scanner.Sense), "when it reads: sense, continuous or key 读取方式：感应、连续、按键")
	c.Flags().BoolVar(&set.Light, "light", true, "its light shines while it reads 读取时补光")
	c.Flags().BoolVar(&set.Beep, "beep", true, "it beeps when it has read 读取后提示音")
	c.Flags().IntVar(&baud, "baud", 9600, "speed, for a PORT that is not configured 波特率")
	return c
}

func (b *bench) tellSetUp(port string, set scanner.GM65, changed bool) error {
	if b.json {
		return json.NewEncoder(b.out).Encode(map[string]any{"port": port, "mode": set.Mode, "light": set.Light, "beep": set.Beep, "changed": changed})
	}
	word := "set and kept 已设置并保存"
	if !changed {
		word = "was so already 无需更改"
	}
	_, err := fmt.Fprintf(b.out, "%s: mode %s, light %v, beep %v: %s\n", port, set.Mode, set.Light, set.Beep, word)
	return err
}
