package server

import (
	"cmp"
	"context"
	"fmt"
	"sync"

	"longcheng/central/store"
)

// latestHalls returns what was said last of each hall: a stand-in may have taken the
// host's place.
func latestHalls(all map[store.Device]store.Said) map[string]store.Said {
	latest := map[string]store.Said{}
	for _, x := range all {
		if x.Is.Hall != nil && x.At.After(latest[x.Device.Hall].At) {
			latest[x.Device.Hall] = x
		}
	}
	return latest
}

// namesOfHalls returns what people call halls, by id: the names that their boxes
// said. Of halls that share a name each has its id beside it.
func namesOfHalls(said map[store.Device]store.Said, lang int) map[string]string {
	names, same := map[string]string{}, map[string]int{}
	for id, x := range latestHalls(said) {
		if name := x.Is.Hall.Name.In([2]string{"zh", "en"}[lang]); name != "" {
			names[id] = name
			same[name]++
		}
	}
	for id, name := range names {
		if same[name] > 1 {
			names[id] = fmt.Sprintf([2]string{"%s（%s）", "%s (%s)"}[lang], name, id)
		}
	}
	return names
}

// hallNamer returns the function by which one page names a hall: as people call it,
// or by its id while no box has said a name. The store is read when the first hall
// is to be named.
func (s *Server) hallNamer(ctx context.Context, v visitor, lang int) func(id string) (string, error) {
	names := sync.OnceValues(func() (map[string]string, error) {
		said, err := s.o.Store.Statuses(ctx, v.Hall)
		return namesOfHalls(said, lang), err
	})
	return func(id string) (string, error) {
		all, err := names()
		return cmp.Or(all[id], id), err
	}
}
