package central

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"longcheng/kiosk"
)

// Base is the path below which version 1 of the protocol is spoken.
const Base = "/sync/v1"

// The limits of the protocol. A sender stays below them; a receiver refuses what
// is above.
const (
	MaxEvents = 500      // events of a batch
	MaxBody   = 4 << 20  // bytes of a request, compressed
	MaxPlain  = 32 << 20 // bytes of a batch, decompressed
	MaxField  = 1 << 20  // bytes of an event's body or answer
	MaxShort  = 1 << 10  // bytes of an event's kind or request

	enough = 1 << 20 // bytes of events after which a sender begins the next batch
)

// A Batch is a stretch of one journal. Its origin is not in it: the certificate
// names the hall and the device, the address names the epoch.
type Batch struct {
	Sent   time.Time     `json:"sent"`           // the sender's clock, so that the centre sees it drift
	More   bool          `json:"more,omitempty"` // the journal has more after it
	Events []kiosk.Event `json:"events"`         // 1 to MaxEvents, Seq without gaps
}

// An Answer says how far the centre has committed an origin: every event up to
// Through, whose hash was Hash.
type Answer struct {
	Through int64  `json:"through"`
	Hash    []byte `json:"hash"`
}

// Check says what forbids a batch. It does not look at hashes: only who knows
// the event before can.
func (b Batch) Check() error {
	if len(b.Events) == 0 || len(b.Events) > MaxEvents {
		return Refuse(http.StatusBadRequest, "batch", "a batch has 1 to %d events, not %d", MaxEvents, len(b.Events))
	}
	for i, e := range b.Events {
		if e.Seq < 1 || e.Seq != b.Events[0].Seq+int64(i) {
			return Refuse(http.StatusBadRequest, "batch", "event %d of the batch has seq %d: seqs begin at 1 and have no gap", i, e.Seq)
		}
		if why := wrong(e); why != "" {
			return Refuse(http.StatusBadRequest, "event", "event %d: %s", e.Seq, why)
		}
	}
	return nil
}

func wrong(e kiosk.Event) string {
	switch {
	case len(e.Hash) != 32:
		return "the hash has not 32 bytes"
	case e.At != e.At.Truncate(time.Millisecond) || e.At.Year() < 1970 || e.At.Year() > 9999:
		return "the time is not whole milliseconds of a year from 1970 to 9999"
	case e.Kind == "" || len(e.Kind) > MaxShort || len(e.Request) > MaxShort:
		return "kind or request is missing or longer than 1 KiB"
	case len(e.Body) == 0 || len(e.Body) > MaxField || len(e.Answer) > MaxField:
		return "body or answer is missing or longer than 1 MiB"
	case !utf8.Valid(e.Body) || !utf8.Valid(e.Answer) || strings.ContainsRune(string(e.Kind)+e.Request, 0):
		return "the text is not UTF-8 or holds a zero byte"
	}
	return ""
}

// Encode writes b as gzipped JSON. Bodies and answers are written byte for byte,
// because the hashes cover their bytes.
func (b Batch) Encode(to io.Writer) error {
	zip, err := gzip.NewWriterLevel(to, gzip.BestSpeed)
	if err != nil {
		return err
	}
	buf := fmt.Appendf(nil, `{"sent":%q,"more":%t,"events":[`, stamp(b.Sent), b.More)
	for i, e := range b.Events {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = appendEvent(buf, e)
	}
	if _, err := zip.Write(append(buf, "]}"...)); err != nil {
		return err
	}
	return zip.Close()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func appendEvent(b []byte, e kiosk.Event) []byte {
	b = append(b, `{"seq":`...)
	b = strconv.AppendInt(b, e.Seq, 10)
	b = fmt.Appendf(b, `,"at":%q,"kind":`, stamp(e.At))
	b = append(b, quote(string(e.Kind))...)
	b = append(append(b, `,"body":`...), e.Body...)
	if e.Request != "" {
		b = append(append(b, `,"request":`...), quote(e.Request)...)
	}
	if len(e.Answer) > 0 {
		b = append(append(b, `,"answer":`...), e.Answer...)
	}
	b = append(b, `,"hash":"`...)
	b = base64.StdEncoding.AppendEncode(b, e.Hash)
	return append(b, `"}`...)
}

func quote(s string) []byte {
	b, _ := json.Marshal(s) // a string always marshals
	return b
}

// DecodeBatch reads and checks what Encode wrote. What does not keep to the
// limits is refused with a *Problem before it takes memory.
func DecodeBatch(r io.Reader) (b Batch, err error) {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return b, unreadable(err)
	}
	plain, err := io.ReadAll(io.LimitReader(zip, MaxPlain+1))
	if err != nil {
		return b, unreadable(err)
	}
	if len(plain) > MaxPlain {
		return b, Refuse(http.StatusRequestEntityTooLarge, "too_large", "the batch is longer than %d bytes: send fewer events", MaxPlain)
	}
	if err := json.Unmarshal(plain, &b); err != nil {
		return Batch{}, Refuse(http.StatusBadRequest, "json", "the batch is not the JSON of this protocol: %v", err)
	}
	return b, b.Check()
}

func unreadable(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return Refuse(http.StatusRequestEntityTooLarge, "too_large", "the request is longer than %d bytes: send fewer events", large.Limit)
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return Refuse(http.StatusBadRequest, "gzip", "the batch is not gzip, or was cut off")
	}
	return fmt.Errorf("read batch: %w", err)
}

// size is about what an event takes in a batch before compression.
func size(e kiosk.Event) int { return len(e.Body) + len(e.Answer) + len(e.Request) + 160 }

// fit returns as many of the first events as make one batch.
func fit(events []kiosk.Event) []kiosk.Event {
	sum := 0
	for i, e := range events {
		if sum += size(e); i > 0 && sum > enough || i == MaxEvents {
			return events[:i]
		}
	}
	return events
}

// encoded returns b as the body of a request.
func encoded(b Batch) ([]byte, error) {
	var to bytes.Buffer
	err := b.Encode(&to)
	return to.Bytes(), err
}
