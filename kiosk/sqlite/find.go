package sqlite

import "longcheng/kiosk"

func find[T any](list []T, is func(T) bool) (T, bool) {
	for _, v := range list {
		if is(v) {
			return v, true
		}
	}
	var zero T
	return zero, false
}

func findItem(h *kiosk.Hall, id string) (kiosk.Item, bool) {
	return find(h.Items, func(v kiosk.Item) bool { return v.ID == id })
}

func findQueue(h *kiosk.Hall, id string) (kiosk.Queue, bool) {
	return find(h.Queues, func(v kiosk.Queue) bool { return v.ID == id })
}

func findClass(h *kiosk.Hall, id string) (kiosk.Class, bool) {
	return find(h.Classes, func(v kiosk.Class) bool { return v.ID == id })
}

func findWindow(h *kiosk.Hall, id string) (kiosk.Window, bool) {
	return find(h.Windows, func(v kiosk.Window) bool { return v.ID == id })
}
