package server

import (
	"context"
	"fmt"
	"sync"

	"longcheng/kiosk"
)

const heldHalls = 64 // documents that are kept read

// A library keeps hall documents that were read: a version never changes.
type library struct {
	mu    sync.Mutex
	halls map[string]*kiosk.Hall
}

// hall returns a version of a document; nil when it can no longer be read.
func (l *library) hall(ctx context.Context, s *Server, name string, version int64) (*kiosk.Hall, error) {
	key := fmt.Sprint(name, "/", version)
	l.mu.Lock()
	h, known := l.halls[key]
	l.mu.Unlock()
	if known {
		return h, nil
	}
	v, err := s.o.Store.Version(ctx, name, version)
	if err != nil {
		return nil, err
	}
	h, _ = s.o.ReadHall([]byte(v.Text))
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.halls == nil || len(l.halls) >= heldHalls {
		l.halls = map[string]*kiosk.Hall{}
	}
	l.halls[key] = h
	return h, nil
}
