package idcard

import "longcheng/device/secret"

const masked = "card" // as which a Secret prints

// A Secret is a number or text of a card: however it is printed, it prints as
// "card".
type Secret = secret.Text

// NewSecret returns a secret with a copy of b.
func NewSecret(b []byte) Secret { return secret.New(b) }

// A Day is a date on a card, masked like a Secret.
type Day = secret.Day
