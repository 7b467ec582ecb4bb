package config

import "fmt"

// A Finding is one thing wrong with a document, where, and how to mend it.
type Finding struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"` // from 1; 0 when the whole file is meant
	Text    string `json:"text"`           // key and problem, such as `printer[0].port: is missing`
	Remedy  string `json:"remedy"`
	Warning bool   `json:"warning"`      // works, but probably not as meant
	ZH      string `json:"zh,omitempty"` // of a hall document: the same in Chinese, in one sentence
}

// String returns "file:line: key: problem: remedy".
func (f Finding) String() string {
	at := f.File
	if f.Line > 0 {
		at = fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	kind := ""
	if f.Warning {
		kind = "warning: "
	}
	return at + ": " + kind + f.Text + ": " + f.Remedy
}

// Error makes a finding usable as an error.
func (f Finding) Error() string { return f.String() }

// Broken reports whether the findings forbid starting: warnings do not.
func Broken(found []Finding) bool {
	for _, f := range found {
		if !f.Warning {
			return true
		}
	}
	return false
}
