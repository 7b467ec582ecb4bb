// Package voice says calls aloud: the sentences, in Chinese and English, and
// the Announcer that speaks them one after another in one zone.
//
// It does not know which loudspeaker or synthesizer the hall has; an Engine
// does. It does not know how calls are made or stored.
package voice
