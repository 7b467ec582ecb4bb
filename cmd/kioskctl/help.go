package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"longcheng/kiosk"
)

// A described is a command, or a flag of one, with what it does in both languages.
type described struct {
	Name  string      `json:"name"` // with its arguments
	What  kiosk.Text  `json:"what"`
	More  *kiosk.Text `json:"more,omitempty"`
	Flags []described `json:"flags,omitempty"`
}

// describe tells what is known of a command.
func describe(c *cobra.Command) described {
	path := pathOf(c)
	_, args, _ := strings.Cut(c.Use, " ")
	d := described{Name: strings.TrimSpace(path + " " + args), What: helps()[path]}
	if more, ok := details()[path]; ok {
		d.More = &more
	}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" && (c.Root() == c || c.Root().PersistentFlags().Lookup(f.Name) == nil) {
			d.Flags = append(d.Flags, described{Name: "--" + f.Name, What: usage(path, f)})
		}
	})
	return d
}

// commands are those of a tool that people call, in the order of their names.
func commands(c *cobra.Command) (all []*cobra.Command) {
	for _, sub := range c.Commands() {
		if !sub.Hidden && sub.Name() != "help" {
			all = append(append(all, sub), commands(sub)...)
		}
	}
	return all
}

// pathOf is a command's name below the tool's.
func pathOf(c *cobra.Command) string {
	return strings.TrimPrefix(strings.TrimPrefix(c.CommandPath(), c.Root().Name()), " ")
}

// usage is what a flag does: with this command, or with all.
func usage(path string, f *pflag.Flag) kiosk.Text {
	if text, ok := helps()[strings.TrimSpace(path+" --"+f.Name)]; ok {
		return text
	}
	return helps()["--"+f.Name]
}

// translate puts the texts of a language into a command and all below it.
func translate(c *cobra.Command, lang string) {
	path := pathOf(c)
	c.Short, c.Long = helps()[path].In(lang), details()[path].In(lang)
	if c.Long != "" {
		c.Long = c.Short + "\n\n" + c.Long
	}
	flags := func(f *pflag.Flag) { f.Usage = usage(path, f).In(lang) }
	c.Flags().VisitAll(flags)
	c.PersistentFlags().VisitAll(flags)
	for _, sub := range c.Commands() {
		translate(sub, lang)
	}
}

// headings are the words of the help that are the library's.
var headings = strings.NewReplacer(
	"Usage:", "用法：", "Available Commands:", "命令：", "Flags:", "选项：", "Global Flags:", "通用选项：", "Aliases:", "别名：", "Examples:", "示例：",
	`Use "`, `用 "`, `[command] --help" for more information about a command.`, `[命令] --help" 查看某个命令的说明。`, "[command]", "[命令]",
)

// speak makes the help come in the tool's language, which is known when the flags
// have been read.
func (t *tool) speak(c *cobra.Command) {
	help, template := c.HelpFunc(), c.UsageTemplate()
	c.SetHelpFunc(func(c *cobra.Command, args []string) {
		c.InitDefaultHelpFlag()
		if t.json {
			_ = t.tell(describe(c), nil) // the reader may be gone
			return
		}
		translate(c.Root(), t.lang)
		if t.lang == "zh" {
			c.Root().SetUsageTemplate(headings.Replace(template))
		}
		help(c, args)
	})
}

// among lets a shell complete a flag's value; what stands there is not all that may.
func among(c *cobra.Command, flag string, values ...string) {
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)) // fails without the flag alone, which a test sees
}

// completionCommand writes what a shell needs to complete commands.
func completionCommand(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "completion SHELL", Args: cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs), ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: func(c *cobra.Command, args []string) (err error) {
			var script bytes.Buffer
			switch args[0] {
			case "bash":
				err = c.Root().GenBashCompletionV2(&script, true)
			case "zsh":
				err = c.Root().GenZshCompletion(&script)
			default:
				err = c.Root().GenFishCompletion(&script, true)
			}
			if err != nil {
				return fmt.Errorf("completion for %s: %w", args[0], err)
			}
			return t.tell(map[string]string{"shell": args[0], "script": script.String()}, func(w io.Writer) error {
				_, err := script.WriteTo(w)
				return err
			})
		},
	}
}

// manualCommand writes the commands for the manual page; the text around them is
// deploy/man. As JSON it is the same in both languages, the tool itself first; the
// page of the commands is made of that.
func manualCommand(t *tool) *cobra.Command {
	return &cobra.Command{
		Use: "manual", Args: cobra.NoArgs, Hidden: true,
		RunE: func(c *cobra.Command, _ []string) error {
			all := []described{describe(c.Root())}
			for _, sub := range commands(c.Root()) {
				all = append(all, describe(sub))
			}
			return t.tell(all, func(w io.Writer) error { return manual(w, all[1:]) })
		},
	}
}

func manual(w io.Writer, all []described) error {
	fmt.Fprintln(w, ".Bl -tag -width Ds")
	for _, d := range all {
		words := strings.Fields(d.Name)
		n := 0
		for n < len(words) && words[n] == strings.ToLower(words[n]) && !strings.HasPrefix(words[n], "[") {
			n++
		}
		fmt.Fprintf(w, ".It Cm %s", roff(strings.Join(words[:n], " ")))
		if n < len(words) {
			fmt.Fprintf(w, " Ar %s", roff(strings.ToLower(strings.Join(words[n:], " "))))
		}
		fmt.Fprintf(w, "\n%s.\n", roff(d.What.EN))
		for _, f := range d.Flags {
			fmt.Fprintf(w, ".Fl -%s :\n%s.\n", strings.TrimPrefix(f.Name, "--"), roff(f.What.EN))
		}
	}
	_, err := fmt.Fprintln(w, ".El")
	return err
}

// roff keeps a text from being taken for a request.
func roff(s string) string {
	s = strings.ReplaceAll(s, `\`, `\e`)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
