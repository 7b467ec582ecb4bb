package door

import (
	"net/http"
	"strings"
	"sync/atomic"
)

// Turns sends requests to the first of several hosts that answers.
type Turns struct {
	hosts []string // host:port
	by    http.RoundTripper
	at    atomic.Int64
}

// NewTurns makes a transport to hosts such as https://10.0.0.2:8443.
func NewTurns(hosts []string, by http.RoundTripper) *Turns {
	t := &Turns{by: by}
	for _, h := range hosts {
		t.hosts = append(t.hosts, strings.TrimPrefix(h, "https://"))
	}
	return t
}

// RoundTrip asks the host that answered last; when it does not answer, the next
// request goes to the next one.
func (t *Turns) RoundTrip(q *http.Request) (*http.Response, error) {
	at := t.at.Load()
	q = q.Clone(q.Context())
	q.URL.Host, q.Host = t.hosts[at%int64(len(t.hosts))], ""
	res, err := t.by.RoundTrip(q)
	if err != nil && q.Context().Err() == nil {
		t.at.CompareAndSwap(at, at+1)
	}
	return res, err
}
