package sqlite

import (
	"context"
	"time"

	"longcheng/kiosk"
)

// BelieveClock accepts the clock as it stands, on somebody's word, after an
// alarm that does not end by itself: it jumped far ahead, and that is right. The
// business day goes on to the clock's, and the journal names who said so. A
// clock that is not set, or stands before what has already happened, is refused:
// set the clock. Without an alarm nothing is done.
func (s *Store) BelieveClock(ctx context.Context, by string) error {
	return s.do(ctx, func(t *tx) error {
		if err := t.today(); err != nil {
			return err
		}
		now := s.now().UTC().Truncate(time.Millisecond)
		day := kiosk.Day(now.In(s.loc).Format(time.DateOnly))
		switch {
		case now.Year() < 2024:
			return refuse("clock_unset", "系统时钟未校准，请先设置时间", "the clock is not set: set it first")
		case day < t.head.day || now.Before(t.head.at):
			return refuse("clock_before_day", "系统时钟早于已发生的业务，请先校准时间", "the clock stands before what has already happened: set it first")
		case t.head.alarm == "":
			return nil
		}
		return t.append(kiosk.KindDay, now, kiosk.DayOpened{Day: day, By: by}, "", nil)
	})
}
