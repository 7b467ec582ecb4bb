package sqlite

import (
	"fmt"

	"longcheng/kiosk"
)

// Replaced returns the box that hosts the hall in place of this one, or "".
func (s *Store) Replaced() string {
	m := s.mem.Load()
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.host == s.self {
		return ""
	}
	return m.host
}

// decides refuses whatever only the host of a hall may do, when another box hosts
// it.
func (t *tx) decides() error {
	if by := t.mem.host; by != "" && by != t.s.self {
		return refuse("replaced", "本机已不是大厅主机，现主机："+by, "this box does not host the hall any more: "+by+" does")
	}
	return nil
}

// heardOfAnother writes down that another box hosts the hall in a later term:
// from then on this store decides nothing.
func (t *tx) heardOfAnother(seen kiosk.Standing) error {
	mine := max(1, t.mem.term)
	if seen.Hall == t.s.hall.ID && seen.Term > mine && seen.Host != "" && seen.Host != t.s.self {
		why := fmt.Sprintf("%s took the place of %s in term %d", seen.Host, t.s.self, seen.Term)
		if err := t.append(kiosk.KindTerm, t.time(), kiosk.Term{Term: seen.Term, Host: seen.Host, Day: t.head.day, Why: why}, "", nil); err != nil {
			return err
		}
	}
	return t.decides()
}
