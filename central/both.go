package central

import "fmt"

// Between stands between the Chinese and the English half of a text: of what the centre
// says of boxes, which may say anything themselves, and of why a box refuses a message.
const Between = " ／ "

// Both is a text with both halves.
func Both(zh, en string, args ...any) string {
	return fmt.Sprintf(zh, args...) + Between + fmt.Sprintf(en, args...)
}
