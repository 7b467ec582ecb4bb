package printer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"longcheng/kiosk"
)

// A store is the print jobs of a day, in memory.
type store struct {
	mu       sync.Mutex
	jobs     []kiosk.Job
	log      []string
	failOnce error
	lives    int
	copied   bool // staff have asked for the copy themselves
}

func newStore(n int) *store {
	s := &store{}
	for i := range n {
		s.jobs = append(s.jobs, kiosk.Job{ID: int64(i + 1), Visit: fmt.Sprintf("a%03d", i+1), Printer: "p", State: kiosk.JobPending})
	}
	return s
}

func (s *store) story() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

func (s *store) add(visit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, kiosk.Job{ID: int64(len(s.jobs) + 1), Visit: visit, Printer: "p", State: kiosk.JobPending})
}

// busy reports whether a job is still to be settled.
func (s *store) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.jobs, func(j kiosk.Job) bool { return j.State == kiosk.JobPending || j.State == kiosk.JobPrinting })
}

// of returns the jobs of a number.
func (s *store) of(number string) (list []kiosk.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		if strings.EqualFold(j.Visit, number) {
			list = append(list, j)
		}
	}
	return list
}

// tore reports whether the journal says that paper ran out in the middle of a
// number's slip.
func (s *store) tore(number string) bool {
	return slices.ContainsFunc(s.of(number), func(j kiosk.Job) bool { return j.Reason == "paper ran out in the middle" })
}

// forget is the power cut: what the program does from now on is not remembered.
func (s *store) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lives++
}

// A life is the store as one run of the program sees it.
type life struct {
	*store
	no int
}

func (l *life) dead() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.no != l.lives {
		return errors.New("the power is off")
	}
	return nil
}

func (l *life) SetJob(ctx context.Context, id int64, st kiosk.JobState, reason string) error {
	if err := l.dead(); err != nil {
		return err
	}
	return l.store.SetJob(ctx, id, st, reason)
}

func (l *life) CopyAfterUnknown(ctx context.Context, id int64) error {
	if err := l.dead(); err != nil {
		return err
	}
	return l.store.CopyAfterUnknown(ctx, id)
}

func (s *store) NextJob(_ context.Context, p string) (kiosk.Job, kiosk.Issued, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		if j.State == kiosk.JobPending && j.Printer == p {
			v := kiosk.Visit{ID: j.Visit, Number: strings.ToUpper(j.Visit), TakenAt: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)}
			return j, kiosk.Issued{Job: j.ID, Visit: v}, true, nil
		}
	}
	return kiosk.Job{}, kiosk.Issued{}, false, nil
}

func (s *store) SetJob(_ context.Context, id int64, st kiosk.JobState, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failOnce; err != nil && st != kiosk.JobPrinting {
		s.failOnce = nil
		return err
	}
	s.jobs[id-1].State, s.jobs[id-1].Reason = st, reason
	s.log = append(s.log, strings.TrimSuffix(fmt.Sprintf("%d %s: %s", id, st, reason), ": "))
	return nil
}

func (s *store) CopyAfterUnknown(_ context.Context, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.copied {
		return &kiosk.Refusal{Code: "not_allowed"}
	}
	return s.copyOf(id)
}

func (s *store) copyOf(id int64) error {
	j := s.jobs[id-1]
	if j.State != kiosk.JobUnknown {
		return errors.New("copy of a job that is not unknown")
	}
	s.jobs = append(s.jobs, kiosk.Job{ID: int64(len(s.jobs) + 1), Visit: j.Visit, Copy: j.Copy + 1, State: kiosk.JobPending, Printer: j.Printer})
	s.log = append(s.log, fmt.Sprintf("copy of %d", id))
	return nil
}

func (s *store) MoveJob(_ context.Context, id int64, to string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs[id-1].Printer = to
	s.log = append(s.log, fmt.Sprintf("%d moved to %s", id, to))
	return nil
}

// boot is what the store does after a power cut: a job that was printing is
// unknown, and gets a copy.
func (s *store) boot() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.jobs {
		if s.jobs[i].State == kiosk.JobPrinting {
			s.jobs[i].State, s.jobs[i].Reason = kiosk.JobUnknown, "the program stopped while it was printing"
			_ = s.copyOf(s.jobs[i].ID)
		}
	}
}
