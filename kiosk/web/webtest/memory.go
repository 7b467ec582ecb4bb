package webtest

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A Memory is what a page holds on to.
type Memory struct {
	Heap      int64 // bytes of its scripts
	Nodes     int64 // of all documents, also those no longer in a tree
	Listeners int64
}

// Memory returns what the page holds after its garbage has been collected: what
// grows from one call to the next is a leak, not a heap waiting for its broom. The
// browser's own objects are left out, since they include what it keeps for us, who
// are watching its network.
func (p *Page) Memory() Memory {
	p.t.Helper()
	command(p, heapprofiler.CollectGarbage)
	heap := command(p, runtime.GetHeapUsage)
	dom := command(p, memory.GetDOMCounters)
	return Memory{Heap: int64(heap.UsedSize + heap.BackingStorageSize), Nodes: dom.Nodes, Listeners: dom.JsEventListeners}
}

// command sends the browser a command without parameters.
func command[R any](p *Page, c cdp.Command[cdp.Empty, R]) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, c, cdp.Empty{})
	if err != nil {
		p.t.Fatalf("ask browser: %v", err)
	}
	return r
}
