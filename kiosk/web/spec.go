package web

import (
	"bytes"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"
)

// specOf returns the API's document, indented, so that its golden copy can be
// reviewed line by line.
func specOf(a huma.API) []byte {
	delete(a.OpenAPI().Components.Schemas.Map(), "ErrorModel") // no answer has it: see known
	raw, err := json.Marshal(a.OpenAPI())
	if err != nil {
		panic("openapi document: " + err.Error()) // built from constants: a mistake of ours
	}
	var b bytes.Buffer
	json.Indent(&b, raw, "", " ") // raw is JSON
	b.WriteByte('\n')
	return b.Bytes()
}
