//go:build race

package tty

// slower is what the race detector costs.
const slower = 3
