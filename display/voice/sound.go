package voice

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// A Sound is mono sound of 16 bits.
type Sound struct {
	Rate    int // samples per second
	Samples []int16
}

// outRate is the rate of everything that is played: the clips', and enough for a
// voice over a hall's loudspeakers.
const outRate = 16000

// Limits of a sound that is read.
const (
	maxSound = 2 * time.Minute
	minRate  = 4000
	maxRate  = 96000
)

// Duration returns how long the sound lasts.
func (s Sound) Duration() time.Duration {
	if s.Rate == 0 {
		return 0
	}
	return time.Duration(len(s.Samples)) * time.Second / time.Duration(s.Rate)
}

// At returns the sound at another rate, by linear interpolation.
func (s Sound) At(rate int) Sound {
	if s.Rate == rate || s.Rate == 0 || len(s.Samples) == 0 {
		return Sound{rate, s.Samples}
	}
	out := make([]int16, len(s.Samples)*rate/s.Rate)
	for i := range out {
		at := float64(i) * float64(s.Rate) / float64(rate)
		j := int(at)
		next := s.Samples[min(j+1, len(s.Samples)-1)]
		out[i] = int16(float64(s.Samples[j]) + (at-float64(j))*(float64(next)-float64(s.Samples[j])))
	}
	return Sound{rate, out}
}

// Louder returns the sound at a volume from 0 to 100 percent.
func (s Sound) Louder(percent int) Sound {
	if percent >= 100 {
		return s
	}
	out := make([]int16, len(s.Samples))
	for i, v := range s.Samples {
		out[i] = int16(int(v) * max(percent, 0) / 100)
	}
	return Sound{s.Rate, out}
}

// join appends sounds of any rate at outRate.
func join(sounds ...Sound) Sound {
	out := Sound{Rate: outRate}
	for _, s := range sounds {
		out.Samples = append(out.Samples, s.At(outRate).Samples...)
	}
	return out
}

// silence lasts d.
func silence(d time.Duration) Sound {
	return Sound{outRate, make([]int16, int(d.Seconds()*outRate))}
}

// WAV returns the sound as a WAV file: PCM, 16 bits.
func (s Sound) WAV() []byte {
	size := uint32(2 * len(s.Samples))
	b := make([]byte, 0, 44+size)
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, 36+size)
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1) // PCM
	b = binary.LittleEndian.AppendUint16(b, 1) // mono
	b = binary.LittleEndian.AppendUint32(b, uint32(s.Rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*s.Rate))
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, size)
	for _, v := range s.Samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

// ErrSound says that a file is no sound that can be played.
var ErrSound = errors.New("not a WAV file of PCM with 16 bits or mu-law: convert it with sox file.wav -r 16000 -c 1 -b 16 out.wav")

// ParseWAV reads a WAV file: PCM of 16 bits or mu-law, any rate; of several channels
// the first is taken. A length that claims more than there is is cut, as programs
// that write to a pipe leave it open.
func ParseWAV(b []byte) (Sound, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return Sound{}, ErrSound
	}
	var f format
	for b = b[12:]; len(b) >= 8; {
		id, size := string(b[:4]), int64(binary.LittleEndian.Uint32(b[4:]))
		body := b[8:]
		body = body[:min(size, int64(len(body)))]
		switch id {
		case "fmt ":
			if len(body) < 16 {
				return Sound{}, ErrSound
			}
			f = format{binary.LittleEndian.Uint16(body), int(binary.LittleEndian.Uint16(body[2:])), int(binary.LittleEndian.Uint32(body[4:])), binary.LittleEndian.Uint16(body[14:])}
		case "data":
			return f.samples(body)
		}
		b = b[min(int64(len(b)), 8+(size+1)&^1):]
	}
	return Sound{}, ErrSound
}

// format is the header of a WAV file.
type format struct {
	code     uint16
	channels int
	rate     int
	bits     uint16
}

func (f format) samples(b []byte) (Sound, error) {
	mulaw := f.code == 7 && f.bits == 8
	if f.channels < 1 || f.channels > 8 || f.rate < minRate || f.rate > maxRate || !mulaw && (f.code != 1 || f.bits != 16) {
		return Sound{}, ErrSound
	}
	s := Sound{Rate: f.rate}
	step := f.channels * int(f.bits) / 8
	if most := int(maxSound.Seconds()) * f.rate * step; len(b) > most {
		return Sound{}, fmt.Errorf("sound of %d bytes: at most %s are played", len(b), maxSound)
	}
	for ; len(b) >= step; b = b[step:] {
		if mulaw {
			s.Samples = append(s.Samples, expandMuLaw(b[0]))
		} else {
			s.Samples = append(s.Samples, int16(binary.LittleEndian.Uint16(b)))
		}
	}
	return s, nil
}

// expandMuLaw decodes one byte of G.711 mu-law.
func expandMuLaw(b byte) int16 {
	b = ^b
	v := (int16(b&0x0F)<<3 + 0x84) << (b >> 4 & 7)
	if b&0x80 != 0 {
		return 0x84 - v
	}
	return v - 0x84
}

// trimmed cuts silence off both ends.
func (s Sound) trimmed() Sound {
	const quiet = 200
	loud := func(v int16) bool { return v > quiet || v < -quiet }
	from, to := 0, len(s.Samples)
	for from < to && !loud(s.Samples[from]) {
		from++
	}
	for to > from && !loud(s.Samples[to-1]) {
		to--
	}
	return Sound{s.Rate, s.Samples[from:to]}
}
