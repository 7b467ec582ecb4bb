package kiosk

import "strings"

func splitComma(s string) []string {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// MaskName keeps the first rune of a name and stars the rest: 张三丰 is 张**.
func MaskName(name string) string {
	r := []rune(name)
	if len(r) < 2 {
		return strings.Repeat("*", len(r))
	}
	return string(r[0]) + strings.Repeat("*", len(r)-1)
}
