// Sbom writes the bill of materials of programs, as CycloneDX 1.5 JSON: what the
// compiler itself recorded in them, so it cannot drift from what is shipped.
//
//	go run ./cmd/internal/sbom NAME VERSION PROGRAM... >sbom.json
//
// Two runs over the same programs write the same bytes. It does not know licences:
// their texts are in the package's copyright file.
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: sbom NAME VERSION PROGRAM...")
		os.Exit(2)
	}
	if err := write(os.Stdout, os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

// The parts of CycloneDX that are needed here.
type bom struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func write(to io.Writer, name, version string, programs []string) error {
	b := bom{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{component{Type: "application", Ref: name, Name: name, Version: version}}}
	parts := map[string]component{}
	for _, p := range programs {
		info, err := buildinfo.ReadFile(p)
		if err != nil {
			return fmt.Errorf("read %s: %w: is it a Go program?", p, err)
		}
		collect(parts, filepath.Base(p), info)
	}
	for _, c := range parts {
		b.Components = append(b.Components, c)
	}
	slices.SortFunc(b.Components, func(a, c component) int { return strings.Compare(a.Ref, c.Ref) })
	out := json.NewEncoder(to)
	out.SetIndent("", "  ")
	return out.Encode(b)
}

// collect adds the modules and the compiler of one program.
func collect(parts map[string]component, program string, info *debug.BuildInfo) {
	add := func(path, version, sum string) {
		c := component{Type: "library", Name: path, Version: version, PURL: "pkg:golang/" + path + "@" + version}
		c.Ref = c.PURL
		if old, seen := parts[c.Ref]; seen {
			c = old
		} else if sum != "" {
			c.Properties = []property{{"go:sum", sum}}
		}
		c.Properties = append(c.Properties, property{"longcheng:program", program})
		parts[c.Ref] = c
	}
	add("std", strings.TrimPrefix(info.GoVersion, "go"), "")
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		add(m.Path, m.Version, m.Sum)
	}
}
