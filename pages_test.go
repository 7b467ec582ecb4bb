package longcheng_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the pages anew that the programs tell of themselves")

// A told is a text in both languages.
type told struct{ ZH, EN string }

// ask runs kioskctl and reads what it says as JSON.
func ask(t *testing.T, into any, args ...string) {
	t.Helper()
	out, err := exec.Command("go", append([]string{"run", "./cmd/kioskctl"}, args...)...).Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		t.Fatalf("kioskctl %v: %v", args, err)
	}
}

// same wants a page to be what a program tells.
func same(t *testing.T, file, want string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("%s is not what the program says (%v): go test . -run Page -rewrite", file, err)
	}
}

// A command is one of kioskctl, or a flag of one.
type command struct {
	Name  string
	What  told
	More  *told
	Flags []command
}

// TestPageOfCommands: the technician's page has every command as kioskctl tells it,
// and each of them is tried with --json.
func TestPageOfCommands(t *testing.T) {
	var all []command
	ask(t, &all, "manual", "--json")
	var s strings.Builder
	s.WriteString(commandsHead)
	writeFlags(&s, all[0].Flags)
	s.WriteString("\n## 命令 Commands\n")
	for _, c := range all[1:] {
		fmt.Fprintf(&s, "\n### `%s`\n\n%s。  \n%s.\n", c.Name, c.What.ZH, c.What.EN)
		if c.More != nil {
			fmt.Fprintf(&s, "\n%s  \n%s\n", strings.ReplaceAll(c.More.ZH, "\n", ""), c.More.EN)
		}
		if len(c.Flags) > 0 {
			s.WriteString("\n| | 中文 | English |\n|---|---|---|\n")
			writeFlags(&s, c.Flags)
		}
	}
	same(t, "deploy/docs/technician/commands.md", s.String())
	tried, err := os.ReadFile("cmd/kioskctl/commands_test.go")
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string]bool{"provision": true, "update": true, "release": true}
	for _, c := range all[1:] {
		if name := words.FindString(c.Name); !groups[name] && !strings.Contains(string(tried), `{"`+name+`", `) {
			t.Errorf("cmd/kioskctl/commands_test.go does not try %q with --json: add it to a list of trials", name)
		}
	}
}

// words are the small ones before the arguments of a command.
var words = regexp.MustCompile(`^[a-z-]+( [a-z-]+)?`)

func writeFlags(s *strings.Builder, all []command) {
	for _, f := range all {
		fmt.Fprintf(s, "| `%s` | %s | %s |\n", f.Name, f.What.ZH, f.What.EN)
	}
}

const commandsHead = "# 命令 The commands of kioskctl\n\n" +
	"The tool tells this page itself; a test compares them. 语言按系统的 `LANG`，或 `--lang zh`；`kioskctl 命令 --help` 显示说明。  \n" +
	"The language is that of `LANG`, or `--lang en`; `kioskctl COMMAND --help` explains.\n\n" +
	"With `--json` every command prints one JSON value, and a failure is a JSON object on the standard error with `error` and `zh`.\n" +
	"The exit status is 0 for success and a good verdict, else 1. 命令失败或结论为不合格时退出码为 1。\n\n" +
	"补全 Completion: the packages install it for bash, zsh and fish; by hand `source <(kioskctl completion bash)`.\n\n" +
	"## 通用选项 With every command\n\n| | 中文 | English |\n|---|---|---|\n"

// TestPageOfFaults: the technician's page has every fault as the doctor tells it.
func TestPageOfFaults(t *testing.T) {
	var areas []struct {
		Name   told
		Faults []struct {
			ID, Level           string
			Name, Cause, Remedy told
		}
	}
	ask(t, &areas, "doctor", "--list", "--json")
	levels := map[string]string{"bad": "故障 fault", "warn": "注意 note"}
	var s strings.Builder
	s.WriteString(faultsHead)
	for _, a := range areas {
		fmt.Fprintf(&s, "\n## %s %s\n", a.Name.ZH, a.Name.EN)
		for _, f := range a.Faults {
			fmt.Fprintf(&s, "\n### %s %s\n\n`%s`, %s\n\n", f.Name.ZH, f.Name.EN, f.ID, levels[f.Level])
			fmt.Fprintf(&s, "- 原因：%s  \n  Cause: %s\n- 处理：%s  \n  Remedy: %s\n", f.Cause.ZH, f.Cause.EN, f.Remedy.ZH, f.Remedy.EN)
		}
	}
	same(t, "deploy/docs/technician/doctor.md", s.String())
}

const faultsHead = "# 故障 What the doctor finds\n\n" +
	"The doctor tells this page itself; a test compares them. `kioskctl doctor` 检查本机，列出所见、原因和处理；`kioskctl doctor 故障名` 只解释一个；\n" +
	"维护页 `/technician/box/` 用同样的话。  \n" +
	"`kioskctl doctor` examines the box and tells what it saw, the cause and the remedy; `kioskctl doctor FAULT` explains one; the\n" +
	"technician's page uses the same words. While kioskd runs, the ports are its own, and the doctor repeats what kioskd says; with\n" +
	"kioskd stopped it asks printers and card readers itself. Solid-state disks say only to root how worn they are: the page does not\n" +
	"hear it, `sudo kioskctl doctor` does.\n\n" +
	"Every fault is brought about by a test: in `cmd/internal/doctor/doctor_test.go` on documents, stores, processes, sockets, file\n" +
	"systems and the bytes of simulated devices; in `make test-doctor` by the simulated hardware, host and centre of a running kioskd;\n" +
	"in `make test-image` by a whole box in a virtual machine. But not `paper-blank`, which only a person sees, and `help-wanted`,\n" +
	"`card-not-genuine` and `store-mended`, which are moments. Of `undervoltage` and `throttled`, which only a Raspberry Pi says, the\n" +
	"doctor is only told: see `cmd/internal/doctor/standins_test.go`, and there where each of the others is brought about. Nothing\n" +
	"here was seen on real hardware.\n"

var keyRow = regexp.MustCompile("(?m)^\\| `([a-z_.0-9]+)` \\|")

// TestEveryKeyIsExplainedInChinese: the technician's page shows the settings of a
// box, and explains each.
func TestEveryKeyIsExplainedInChinese(t *testing.T) {
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	english, _, _ := strings.Cut(read("deploy/docs/technician/configuration.md"), "## The hall document")
	chinese := read("deploy/docs/technician/configuration-zh.md")
	keys := keyRow.FindAllStringSubmatch(english, -1)
	for _, m := range keys {
		if !strings.Contains(chinese, "| `"+m[1]+"` |") {
			t.Errorf("deploy/docs/technician/configuration-zh.md does not explain %s", m[1])
		}
	}
	if len(keys) < 80 {
		t.Errorf("only %d keys found: the test looks in the wrong place", len(keys))
	}
}
