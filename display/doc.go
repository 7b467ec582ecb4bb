// Package display is what the hall sees and hears: the view each surface
// should have, computed from the state of the hall by pure functions, and the
// Keeper that makes a surface agree with it and records the proof.
//
// A surface is a window's LED strip, a wall page or a loudspeaker. The package
// does not know how calls are decided, how they are stored, or which bytes a
// sign understands; the packages below it speak to one family of signs each.
package display
