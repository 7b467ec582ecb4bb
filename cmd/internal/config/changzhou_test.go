package config

import (
	"math"
	"reflect"
	"testing"

	"longcheng/kiosk"
)

// The reference hall has the size this product is made for, and nothing is
// wrong with it.
func TestReferenceHall(t *testing.T) {
	c, found := Load(halls + "changzhou/kioskd.toml")
	for _, f := range found {
		t.Error(f)
	}
	if c.Hall == nil {
		t.Fatal("no hall")
	}
	approvals, statutory, promised := 0, 0, 0
	for _, i := range c.Hall.Items {
		if i.Type == "01" {
			approvals++
		}
		statutory += i.Statutory
		promised += i.Promised
		if len(i.Bring) < 2 || len(i.Bring) > 5 || i.Name.EN == "" {
			t.Errorf("item %s %s: %d lines to bring, English name %q", i.ID, i.Name.ZH, len(i.Bring), i.Name.EN)
		}
	}
	for _, n := range []struct {
		what      string
		got, want int
	}{
		{"departments", len(c.Hall.Departments), 36}, {"items", len(c.Hall.Items), 350}, {"approvals", approvals, 212},
		{"windows", len(c.Hall.Windows), 212}, {"queues", len(c.Hall.Queues), 40}, {"flows", len(c.Hall.Flows), 3},
		{"strips", len(c.Strips), 12}, {"touch pages", len(c.Touches), 2}, {"walls", len(c.Walls), 3}, {"voices", len(c.Voices), len(c.Hall.Zones)},
	} {
		if n.got != n.want {
			t.Errorf("%d %s, want %d", n.got, n.what, n.want)
		}
	}
	if ratio := float64(promised) / float64(statutory); math.Abs(ratio-0.4115) > 0.005 {
		t.Errorf("promised terms are %.4f of the statutory ones, want 0.41", ratio)
	}
	checkNames(t, c.Hall)
}

// The reference hall fits into one text, as the centre gives it to boxes, and is
// the same hall.
func TestJoinedReferenceHall(t *testing.T) {
	want, _ := LoadHall(halls + "changzhou/hall.toml")
	text, err := JoinHall(halls + "changzhou/hall.toml")
	if err != nil {
		t.Fatal(err)
	}
	got, found := ParseHall("hall.toml", text)
	if len(found) > 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("the joined hall differs: %q", found)
	}
}

// A document of one text includes nothing, and its mistakes have lines.
func TestParseHall(t *testing.T) {
	_, found := ParseHall("hall.toml", []byte("id = \"x\"\ninclude = [\"a.toml\"]\n"))
	expect(t, found, "hall.toml", 2, "include: this document stands alone")
	hall, _ := small(t)
	hall, line := change(t, hall, "[[queue]]", `"hall"`, `"loft"`)
	_, found = ParseHall("hall.toml", []byte(hall))
	expect(t, found, "hall.toml", line, `queue[0].zone: there is no zone "loft"`)
}

// Real halls list a matter once; every queue has matters, every flow five stages.
func checkNames(t *testing.T, h *kiosk.Hall) {
	t.Helper()
	names, used := map[string]bool{}, map[string]bool{}
	for _, i := range h.Items {
		if names[i.Name.ZH] {
			t.Errorf("item %s %s is listed twice", i.ID, i.Name.ZH)
		}
		names[i.Name.ZH], used[i.Queue] = true, true
	}
	for _, q := range h.Queues {
		if !used[q.ID] {
			t.Errorf("queue %s has no item", q.ID)
		}
	}
	for _, f := range h.Flows {
		if len(f.Stages) != 5 {
			t.Errorf("flow %s has %d stages, want 5", f.ID, len(f.Stages))
		}
	}
}
