package wall

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"longcheng/kiosk/web/webtest"
)

// soak is how long the page is called to; make soak sets it to thirty minutes.
var soak = flag.Duration("soak", 20*time.Second, "how long the wall is called to")

// perSecond is twenty times the calls of a hall of 212 windows with five minutes each.
const perSecond = 14

// warm is the least number of calls in a third, however slow the machine is.
const warm = 60

// A real browser shows call after call: what it holds on to once its garbage is
// collected stays the same, its elements and its listeners too. The first third of
// the calls warms the page up; a leak would show in every third after it.
func TestSoakHeapAndNodesStayFlat(t *testing.T) {
	b := webtest.Start(t)
	g := newGlass(t, Options{Languages: []string{"zh", "en"}})
	p := g.open(b, 1920, 1080)
	g.show(busy())
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	var thirds [3]webtest.Memory
	began, i := time.Now(), 0
	for third := 0; third < 3; i++ {
		<-tick.C
		v := busy()
		v.Wall.Calls[0].Number, v.Wall.Calls[0].Seq, v.Calls[0] = fmt.Sprintf("A%03d", i%1000), int64(1000+i), int64(1000+i)
		v.Wall.Queues[i%10].Waiting = i % 100
		g.show(v)
		if i >= warm*(third+1) && time.Since(began) >= *soak*time.Duration(third+1)/3 {
			thirds[third] = p.Memory()
			third++
		}
	}
	t.Logf("%d calls in %s: %d, %d, %d nodes and %d, %d, %d KiB after each third", i, time.Since(began).Round(time.Second),
		thirds[0].Nodes, thirds[1].Nodes, thirds[2].Nodes, thirds[0].Heap>>10, thirds[1].Heap>>10, thirds[2].Heap>>10)
	if thirds[2].Nodes > thirds[0].Nodes || thirds[2].Listeners > thirds[0].Listeners {
		t.Errorf("from %+v to %+v", thirds[0], thirds[2])
	}
	if grown := thirds[2].Heap - thirds[0].Heap; grown > thirds[0].Heap/10 {
		t.Errorf("the page holds %d bytes more than after the first third", grown)
	}
}
