// Package support collects what an engineer far away needs to understand a box:
// versions, documents, health, the doctor's findings, the end of the log, facts
// of the kernel. No personal data is in it: secrets are taken out of documents,
// long numbers out of the log, and of the store only the report of its journal.
// The result is sealed to a recipient.
package support

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"longcheng/cmd/internal/config"
	"longcheng/cmd/internal/doctor"
	"longcheng/cmd/internal/sealed"
	"longcheng/device/hotplug"
	"longcheng/kiosk/sqlite"
)

// Options say whose bundle it is.
type Options struct {
	Patient doctor.Patient // with what the daemon says
	Log     string         // the end of the log, as it was written
}

// maxText is what is taken of one file.
const maxText = 1 << 20

// Collect makes the files of a bundle. What cannot be had is said in its place.
func Collect(ctx context.Context, o Options) []sealed.File {
	p := o.Patient
	files := []sealed.File{
		text("versions.txt", versions(p)),
		asJSON("findings.json", doctor.Examine(ctx, p)),
		text("log.txt", Mask(o.Log)),
		asJSON("devices.json", hotplug.Tree{Root: p.Root}.List()),
	}
	if p.Status != nil {
		files = append(files, asJSON("health.json", p.Status))
	}
	for _, f := range []string{"/proc/meminfo", "/proc/mounts", "/proc/asound/cards", "/proc/uptime", "/proc/loadavg", "/etc/os-release"} {
		files = append(files, text("kernel"+f, read(p.Root+f)))
	}
	return append(append(files, documents(p)...), journal(ctx, p))
}

func text(name, s string) sealed.File { return sealed.File{Name: name, Body: []byte(s)} }

func asJSON(name string, v any) sealed.File {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		b = []byte(err.Error())
	}
	return sealed.File{Name: name, Body: []byte(Mask(string(b)))}
}

// read returns the beginning of a file, or why there is none.
func read(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	b := make([]byte, maxText)
	n, err := f.Read(b)
	if err != nil && n == 0 {
		return err.Error()
	}
	return string(b[:n])
}

func versions(p doctor.Patient) string {
	var u unix.Utsname
	_ = unix.Uname(&u) // never fails for our own memory
	daemon := "does not answer"
	if p.Status != nil {
		daemon = p.Status.Version
	}
	return fmt.Sprintf("tool %s\nkioskd %s\n%s %s/%s\nkernel %s %s %s\ntime %s\n", p.Version, daemon,
		runtime.Version(), runtime.GOOS, runtime.GOARCH, unix.ByteSliceToString(u.Sysname[:]), unix.ByteSliceToString(u.Release[:]),
		unix.ByteSliceToString(u.Machine[:]), time.Now().UTC().Format(time.RFC3339))
}

// documents are the configuration and the hall document, without secrets.
func documents(p doctor.Patient) []sealed.File {
	c, _ := config.Load(p.Config)
	files := []sealed.File{text("documents/"+filepath.Base(p.Config), WithoutSecrets(read(p.Config)))}
	if c == nil || c.HallAt == "" {
		return files
	}
	at := c.HallAt
	if !filepath.IsAbs(at) {
		at = filepath.Join(filepath.Dir(p.Config), at)
	}
	return append(files, text("documents/hall/"+filepath.Base(at), WithoutSecrets(read(at))))
}

var secretLine = regexp.MustCompile(`(?mi)^(\s*(?:#\s*)?[A-Za-z0-9_.-]*(?:hash|secret|passw|token|key|pin)[A-Za-z0-9_-]*\s*=).*$`)

// WithoutSecrets takes the values out of the lines of a document that hold
// hashes, passwords, keys and the like. The pins of a chip go with them.
func WithoutSecrets(s string) string { return secretLine.ReplaceAllString(s, `${1} "removed"`) }

var personal = regexp.MustCompile(`[0-9]{14,}[Xx]?|\b1[3-9][0-9]{9}\b`)

// Mask takes out what may be the number of a person: an identity number, a card
// number, a telephone number.
func Mask(s string) string { return personal.ReplaceAllString(s, "***") }

// journal is the report of the store, and nothing that is in it.
func journal(ctx context.Context, p doctor.Patient) sealed.File {
	c, _ := config.Load(p.Config)
	if c == nil {
		return text("journal.json", "no configuration")
	}
	r, err := sqlite.Verify(ctx, config.Resolve(p.State, c.Store.File))
	if err != nil {
		return text("journal.json", err.Error())
	}
	return asJSON("journal.json", r)
}

// ErrNoRecipient says that nobody is named who may open a bundle.
var ErrNoRecipient = errors.New("nobody is named who may open it: write support.recipient into the configuration, or give --recipient age1")

// Name is the name of a bundle's file.
func Name(device string, at time.Time) string {
	return "support-" + strings.Map(plain, device) + "-" + at.UTC().Format("20060102T150405Z") + ".tar.gz.age"
}

func plain(r rune) rune {
	if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_' {
		return r
	}
	return '-'
}
