package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"longcheng/kiosk"
)

const jobColumns = "id, visit, printer, copy, state, reason, at"

// jobMoves are the changes of a print job that make sense.
var jobMoves = map[kiosk.JobState][]kiosk.JobState{
	kiosk.JobPending:  {kiosk.JobPrinting, kiosk.JobFailed},
	kiosk.JobPrinting: {kiosk.JobPending, kiosk.JobPrinted, kiosk.JobUnknown, kiosk.JobFailed},
	kiosk.JobUnknown:  {kiosk.JobPrinted, kiosk.JobFailed},
	kiosk.JobFailed:   {kiosk.JobPending},
}

// boot notes the start and settles jobs that were printing when the power went:
// nobody knows whether paper came, so a marked copy is made.
func (s *Store) boot(ctx context.Context, version string, document int64) error {
	return s.do(ctx, func(t *tx) error {
		if err := t.today(); err != nil {
			return err
		}
		at := t.time()
		if err := t.append(kiosk.KindBooted, at, kiosk.Booted{Version: version, Hall: s.hall.ID, Document: document}, "", nil); err != nil {
			return err
		}
		jobs, err := jobsWhere(ctx, t, "id > ? AND state = 'printing' ORDER BY id", t.head.before.jobs)
		if err != nil {
			return err
		}
		for _, j := range jobs {
			j.State, j.Reason, j.At = kiosk.JobUnknown, "the program stopped while it was printing", at
			if err := t.append(kiosk.KindJob, at, j, "", nil); err != nil {
				return err
			}
			c, err := t.newCopy(j, at)
			if err != nil {
				return err
			}
			if err := t.append(kiosk.KindJob, at, c, "", nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// newCopy is the next slip of a visit, on the printer of j.
func (t *tx) newCopy(j kiosk.Job, at time.Time) (kiosk.Job, error) {
	c := kiosk.Job{ID: t.head.jobs + 1, Visit: j.Visit, Printer: j.Printer, State: kiosk.JobPending, At: at}
	err := t.QueryRowContext(context.Background(), "SELECT coalesce(max(copy) + 1, 0) FROM job WHERE "+jobsOfVisit, j.Visit).Scan(&c.Copy)
	return c, err
}

// NextJob returns the oldest pending job of a printer and what to print; false
// when there is none. What it returns is on the disk. It costs a few rows.
func (s *Store) NextJob(ctx context.Context, printer string) (j kiosk.Job, i kiosk.Issued, ok bool, err error) {
	if _, some := s.mem.Load().toPrint(printer); !some {
		return j, i, false, nil
	}
	err = s.do(ctx, func(t *tx) error {
		j, i, ok = kiosk.Job{}, kiosk.Issued{}, false
		id, some := t.mem.toPrint(printer)
		if !some {
			return nil
		}
		if j, err = t.job(id); err != nil {
			return err
		}
		if i.Visit, err = visit(ctx, t, "id = ?", j.Visit); err != nil {
			return err
		}
		i.Job, ok = j.ID, true
		i.Ahead, i.Estimate, err = t.toSay(i.Visit)
		return err
	})
	return j, i, ok && err == nil, err
}

// SetJob notes what became of a print job.
func (s *Store) SetJob(ctx context.Context, id int64, state kiosk.JobState, reason string) error {
	_, err := settle(ctx, s, demand{what: "job"}, func(t *tx, at time.Time) (d decision[kiosk.Job], err error) {
		j, err := t.job(id)
		if err != nil {
			return d, err
		}
		if _, ok := find(jobMoves[j.State], func(to kiosk.JobState) bool { return to == state }); !ok {
			return d, refuse("not_allowed", "打印任务状态不允许此操作", fmt.Sprintf("a %s job cannot become %s", j.State, state))
		}
		j.State, j.Reason, j.At = state, reason, at
		return decision[kiosk.Job]{kind: kiosk.KindJob, body: j, value: j}, nil
	})
	return err
}

// CopyAfterUnknown makes a marked copy of a slip of which nobody knows whether
// it was printed. A job has one such copy: asking again is refused.
func (s *Store) CopyAfterUnknown(ctx context.Context, id int64) (kiosk.Job, error) {
	return settle(ctx, s, demand{what: "copy"}, func(t *tx, at time.Time) (d decision[kiosk.Job], err error) {
		j, err := t.job(id)
		if err != nil {
			return d, err
		}
		c, err := t.newCopy(j, at)
		if err != nil {
			return d, err
		}
		if j.State != kiosk.JobUnknown || c.Copy != j.Copy+1 {
			return d, refuse("not_allowed", "该任务不能补打", "only the latest slip can be copied, and only while its fate is unknown")
		}
		return decision[kiosk.Job]{kind: kiosk.KindJob, body: c, value: c}, nil
	})
}

// MoveJob gives a pending job to another printer, in its old turn. Why staff asked
// for a copy stays with it.
func (s *Store) MoveJob(ctx context.Context, id int64, printer string) error {
	_, err := settle(ctx, s, demand{what: "move"}, func(t *tx, at time.Time) (d decision[kiosk.Job], err error) {
		j, err := t.job(id)
		if err != nil {
			return d, err
		}
		if j.State != kiosk.JobPending {
			return d, refuse("not_allowed", "打印任务已开始，不能转到另一台打印机", fmt.Sprintf("a %s job cannot move to another printer", j.State))
		}
		why, _, _ := strings.Cut(j.Reason, "; moved from ")
		j.Reason, j.Printer, j.At = why+"; moved from "+j.Printer, printer, at
		return decision[kiosk.Job]{kind: kiosk.KindJob, body: j, value: j}, nil
	})
	return err
}

// Reprint makes a marked copy of a slip.
func (s *Store) Reprint(ctx context.Context, r kiosk.ReprintRequest) (kiosk.Job, error) {
	return settle(ctx, s, demand{what: "reprint", request: r.Request, who: r.By, content: r}, func(t *tx, at time.Time) (d decision[kiosk.Job], err error) {
		if _, err := visit(ctx, t, "id = ?", r.Visit); err != nil {
			return d, err
		}
		if r.Printer == "" {
			return d, refuse("not_allowed", "未指定打印机", "name a printer")
		}
		j, err := t.newCopy(kiosk.Job{Visit: r.Visit, Printer: r.Printer}, at)
		j.Reason = r.Reason
		return decision[kiosk.Job]{kiosk.KindJob, j, j, true}, err
	})
}

func (t *tx) job(id int64) (kiosk.Job, error) {
	jobs, err := jobsWhere(context.Background(), t, "id = ?", id)
	if err != nil {
		return kiosk.Job{}, err
	}
	if len(jobs) == 0 {
		return kiosk.Job{}, refuse("unknown_job", "没有此打印任务", fmt.Sprintf("there is no print job %d", id))
	}
	return jobs[0], nil
}

func jobsWhere(ctx context.Context, q querier, where string, args ...any) ([]kiosk.Job, error) {
	return collect(ctx, q, func(r *sql.Rows) (j kiosk.Job, err error) {
		var at int64
		err = r.Scan(&j.ID, &j.Visit, &j.Printer, &j.Copy, &j.State, &j.Reason, &at)
		j.At = fromMilli(at)
		return j, err
	}, "SELECT "+jobColumns+" FROM job WHERE "+where, args...)
}

// Note writes an Alarm or a Signed event.
func (s *Store) Note(ctx context.Context, kind kiosk.Kind, body any) error {
	switch body.(type) {
	case kiosk.Alarm:
		kind = kiosk.KindAlarm
	case kiosk.Signed:
		kind = kiosk.KindSigned
	case kiosk.Accepted:
		kind = kiosk.KindAccepted
	default:
		return fmt.Errorf("note %s: body is %T: only alarms, signatures and acceptances are noted", kind, body)
	}
	_, err := settle(ctx, s, demand{what: "note"}, func(*tx, time.Time) (decision[struct{}], error) {
		return decision[struct{}]{kind: kind, body: body}, nil
	})
	return err
}
