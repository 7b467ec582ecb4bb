package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"longcheng/kiosk"
)

// A Problem is the body of every answer that is not a success (RFC 9457).
type Problem struct {
	Type    string     `json:"type" doc:"about:blank; the code tells programs what happened"`
	Title   string     `json:"title" doc:"English sentence"`
	Status  int        `json:"status"`
	Code    string     `json:"code" doc:"stable, lower_case" example:"nobody_waiting"`
	Text    kiosk.Text `json:"text" doc:"sentence that may be shown to people, in both languages"`
	Request string     `json:"request" doc:"id to tell the technician; also in X-Request-Id"`
	Errors  []Fault    `json:"errors,omitempty" doc:"each field that was wrong"`
}

// A Fault is one thing that is wrong with a request. What was sent is not repeated:
// it may be long, or a secret.
type Fault struct {
	Location string `json:"location,omitempty" example:"body.item"`
	Message  string `json:"message"`
}

// Error returns the English sentence.
func (p *Problem) Error() string { return p.Title }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func deny(status int, code, zh, en string) *Problem {
	return &Problem{Type: "about:blank", Title: en, Status: status, Code: code, Text: kiosk.Text{ZH: zh, EN: en}}
}

// problem says what a client is told about err. A refusal is 409, or 404 when
// something was only looked for; what nobody foresaw is 500 without details.
func (w *Web) problem(ctx context.Context, err error, reading bool) *Problem {
	var p *Problem
	var refusal *kiosk.Refusal
	switch {
	case errors.As(err, &p):
		c := *p
		p = &c
	case errors.As(err, &refusal):
		status := http.StatusConflict
		if reading {
			status = http.StatusNotFound
		}
		p = deny(status, refusal.Code, refusal.Text.ZH, refusal.Text.In("en"))
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		p = deny(http.StatusServiceUnavailable, "busy", "系统繁忙，请重试", "the system is busy, try again")
	default:
		if w.o.OnError != nil {
			w.o.OnError(requestOf(ctx), err)
		}
		p = unforeseen(err)
	}
	p.Request = requestOf(ctx)
	return p
}

// unforeseen is what is told about an error that no one who asks can help. What
// the store gets over, by itself or with a new start, is 503: pages ask again
// with the same key.
func unforeseen(err error) *Problem {
	var full interface{ NoRoom() bool }
	var broken interface{ Final() bool }
	switch {
	case errors.As(err, &full) && full.NoRoom():
		return deny(http.StatusServiceUnavailable, "disk_full", "系统存储已满，暂时无法办理，请告知工作人员", "the disk is full, please tell the staff")
	case errors.As(err, &broken) && broken.Final():
		return deny(http.StatusServiceUnavailable, "store_broken", "系统正在恢复，请稍候再试", "the system is coming back, try again in a moment")
	}
	return deny(http.StatusInternalServerError, "internal", "出了点问题", "something went wrong")
}

// known gives huma's own errors (a wrong body, a missing header) the same shape.
func known(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	p := deny(m.Status, "bad_request", "请求有误", m.Detail)
	p.Request = requestOf(ctx.Context())
	for _, e := range m.Errors {
		p.Errors = append(p.Errors, Fault{e.Location, e.Message})
	}
	return p, nil
}
