package voice

import "math"

// Chime returns the ding-dong before a call: E5 for 0.6 s, C5 for 0.9 s, each dying
// away, then 0.25 s of silence. Its peak is near -6 dBFS.
func Chime() Sound {
	var pcm []int16
	pcm = appendTone(pcm, 659.25, 0.6)
	pcm = appendTone(pcm, 523.25, 0.9)
	return Sound{outRate, append(pcm, make([]int16, outRate/4)...)}
}

// ChimeWAV returns the chime as a WAV file.
func ChimeWAV() []byte { return Chime().WAV() }

// hush is a tone too soft to be heard: it tells whether a device plays at all.
func hush() Sound {
	pcm := appendTone(nil, 440, 0.2)
	for i := range pcm {
		pcm[i] /= 500 // -60 dB below the full scale
	}
	return Sound{outRate, pcm}
}

// appendTone adds a decaying tone with its second harmonic at -12 dB.
func appendTone(pcm []int16, hz, seconds float64) []int16 {
	n := int(seconds * outRate)
	for i := range n {
		t := float64(i) / outRate
		v := (math.Sin(2*math.Pi*hz*t) + 0.25*math.Sin(4*math.Pi*hz*t)) / 1.25
		attack := math.Min(t/0.005, 1)
		release := math.Min(float64(n-i)/(0.01*outRate), 1)
		pcm = append(pcm, int16(0.5*math.MaxInt16*v*attack*release*math.Exp(-4*t)))
	}
	return pcm
}
