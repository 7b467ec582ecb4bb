package longcheng_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameRealFiles: a path in a document that begins with a room of this
// project must exist, and so must the target of every relative link.
func TestDocsNameRealFiles(t *testing.T) {
	named := regexp.MustCompile("`((?:cmd|device|kiosk|display|printer|central|deploy)/[A-Za-z0-9_./-]*)`")
	linked := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	checked := 0
	for _, doc := range documents(t) {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			checked++
			mustExist(t, doc, m[1])
		}
		for _, m := range linked.FindAllStringSubmatch(string(text), -1) {
			checked++
			mustExist(t, doc, filepath.Join(filepath.Dir(doc), m[1]))
		}
	}
	if checked < 20 {
		t.Errorf("only %d names found in the documents: the test looks in the wrong place", checked)
	}
}

// TestEveryPageIsListed: who looks for a page finds it in the index.
func TestEveryPageIsListed(t *testing.T) {
	const root = "deploy/docs/"
	index, err := os.ReadFile(root + "README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range documents(t) {
		page, ok := strings.CutPrefix(filepath.ToSlash(doc), root)
		if ok && page != "README.md" && !strings.Contains(string(index), "]("+page+")") {
			t.Errorf("%s is not in %sREADME.md: list it under its reader", doc, root)
		}
	}
}

func mustExist(t *testing.T, doc, path string) {
	t.Helper()
	if _, err := os.Stat(strings.TrimSuffix(path, "/")); err != nil {
		t.Errorf("%s names %s, which does not exist", doc, path)
	}
}

func documents(t *testing.T) []string {
	t.Helper()
	docs := []string{"README.md"}
	err := filepath.WalkDir("deploy", func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			docs = append(docs, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return docs
}
