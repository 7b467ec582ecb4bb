package central

// NameHall is the name of the documents that are the catalogue and rules of a
// hall; their body is a HallDocument.
const NameHall = "hall"

// MaxHallText is the longest text of a hall document, in bytes.
const MaxHallText = 512 << 10

// A HallDocument is a version of the catalogue and the rules of a hall, from a
// moment on: that of the message. At any moment the one with the latest start is
// in force, and of those with the same start the one with the highest
// publication. So a version may be planned for Monday and another one be taken
// back today.
type HallDocument struct {
	Publication int64  `json:"publication"`         // counted for each hall from 1
	Version     int64  `json:"version,omitempty"`   // as people name it
	Text        string `json:"text,omitempty"`      // TOML, at most MaxHallText
	Withdrawn   bool   `json:"withdrawn,omitempty"` // the publication shall not begin; without effect when it has
}
