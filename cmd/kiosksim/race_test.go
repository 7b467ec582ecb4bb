//go:build race

package main

// raceFlag builds kioskd like the test itself, so that both share compiled
// packages and the daemon's races are found too.
const raceFlag = "-race"
