//go:build !race

package tty

const slower = 1
