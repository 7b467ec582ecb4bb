package server

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

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

// sortHalls puts halls into the order of their names in a dictionary of the language,
// Chinese ones by their sound; those that have none come last, by their ids.
func sortHalls(ids []string, names map[string]string, lang int) {
	order := collate.New([2]language.Tag{language.Chinese, language.English}[lang], collate.Numeric)
	slices.SortFunc(ids, func(a, b string) int {
		x, y := names[a], names[b]
		if (x == "") != (y == "") {
			return cmp.Compare(len(y), len(x))
		}
		return cmp.Or(order.CompareString(x, y), cmp.Compare(a, b))
	})
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
