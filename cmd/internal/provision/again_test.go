package provision

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"longcheng/cmd/internal/commission"
	"longcheng/kiosk"
)

// A last screen that is cut off comes back, before the test and in the midst of it. The
// test begins anew then, and one sheet is kept.
func TestLastScreenComesBack(t *testing.T) {
	k := newDesk(t)
	k.order()
	k.cut()
	k.powerOn()
	shows(t, k.at, "上次在此断电")
	k.findsPort()
	post(t, k.at+"/take", url.Values{"offer": {k.value("offer")}})
	shows(t, k.at, "✓</b><div>打印机 p")
	post(t, k.at+"/accept", url.Values{"by": {"li"}})
	shows(t, k.at, "请点击每个圆点")
	k.cut()
	if all, _ := filepath.Glob(commission.AcceptanceDir(k.box.State) + "/*"); len(all) != 1 || all[0] != commission.PutOffFile(k.box.State) {
		t.Errorf("in the midst of a test there is %v", all)
	}
	k.powerOn()
	shows(t, k.at, "上次在此断电")
	post(t, k.at+"/accept", url.Values{"by": {"wu"}})
	k.touchDots()
	k.answers("测试票是否完整", "yes")
	k.answers("完成，签署验收单", "")
	if d := <-k.ended; d.Sheet == nil || d.Sheet.By != "wu" || d.Order.Device != "kiosk-7" || len(d.Found) == 0 {
		t.Errorf("%+v", d)
	}
	if all, _ := filepath.Glob(commission.AcceptanceDir(k.box.State) + "/*"); len(all) != 1 || !strings.HasSuffix(all[0], ".json") {
		t.Errorf("accepted, there is %v", all)
	}
	k.cut()
	k.powerOn()
	shows(t, k.at, "手工设置") // asked again, it waits for an order
}

// standing is a box that was set up, with a last screen that so many starts have begun.
func standing(t *testing.T, starts int) Box {
	t.Helper()
	b := Box{Root: t.TempDir(), State: t.TempDir(), Now: time.Now, Survey: &commission.Survey{}}
	b.Survey.State, b.Survey.Tree.Root = b.State, t.TempDir()
	dir := filepath.Join(b.Root, etc)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(documents(t, "127.0.0.1:1"))); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(stand{Done: Done{Pass: kiosk.Text{EN: "enrolled"}}, Starts: starts})
	if err != nil {
		t.Fatal(err)
	}
	if err := commission.PutOff(b.State, text); err != nil {
		t.Fatal(err)
	}
	return b
}

// wizard is that of a box which starts.
func wizard(t *testing.T, b Box) *Wizard {
	t.Helper()
	w, err := NewWizard(b, func() []string { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// asks is a browser that asks a wizard for a page again and again until ctx ends.
func asks(ctx context.Context, w *Wizard, path string, every time.Duration) {
	for h := w.Handler(); ctx.Err() == nil; time.Sleep(every) {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
}

// A last screen that came back and that nobody touches lets the hall open, soon and for
// good; so does one whose browser does not come.
func TestNobodyAtTheLastScreen(t *testing.T) {
	for _, c := range []struct {
		name        string
		browser     bool
		least, most time.Duration
	}{{"untouched", true, idle, idle + 30*time.Second}, {"no browser", false, coming, coming + 30*time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			b := standing(t, 1)
			synctest.Test(t, func(t *testing.T) {
				w := wizard(t, b)
				var all sync.WaitGroup
				defer all.Wait()
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				if c.browser {
					all.Go(func() { asks(ctx, w, "/state", time.Second) })
				}
				begun := time.Now()
				d, err := w.Run(ctx)
				if took := time.Since(begun); err != nil || d.Pass.EN != "enrolled" || took < c.least || took > c.most {
					t.Errorf("%+v, %v after %v", d, err, took)
				}
			})
			if _, again := wizard(t, b).cutOff(); again {
				t.Error("it comes back")
			}
			if info, err := os.Stat(commission.PutOffFile(b.State)); err != nil || info.Size() > 0 {
				t.Errorf("not noted as put off: %v", err)
			}
		})
	}
}

// However a last screen is touched that came back, the hall opens within the hour.
func TestLastScreenIsTouchedForEver(t *testing.T) {
	b := standing(t, 1)
	synctest.Test(t, func(t *testing.T) {
		w := wizard(t, b)
		var all sync.WaitGroup
		defer all.Wait()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		all.Go(func() { asks(ctx, w, "/state", time.Second) })
		all.Go(func() { asks(ctx, w, "/by", idle/2) })
		begun := time.Now()
		if _, err := w.Run(ctx); err != nil || time.Since(begun) > longest+time.Minute {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
	if _, again := wizard(t, b).cutOff(); again {
		t.Error("it comes back")
	}
}

// What was cut off again and again, or cannot be read, keeps nobody waiting.
func TestLastScreenThatIsLetGo(t *testing.T) {
	for name, b := range map[string]Box{"too often": standing(t, mostStarts), "damaged": standing(t, 0)} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			if _, err := wizard(t, b).Run(t.Context()); err != nil || time.Since(begun) > time.Second {
				t.Errorf("%s: %v after %v", name, err, time.Since(begun))
			}
		})
		if _, again := wizard(t, b).cutOff(); again {
			t.Errorf("%s: it comes back", name)
		}
	}
}

// The page is where the box's browser looks for its own, and never open to a network.
func TestAddress(t *testing.T) {
	const first = "127.0.0.1:8080"
	for listen, want := range map[string]string{`":9090"`: "127.0.0.1:9090", `"127.0.0.1:9091"`: "127.0.0.1:9091", `"10.0.0.7:9092"`: first} {
		w := wizard(t, standing(t, 1))
		file := filepath.Join(w.box.Root, etc, "kioskd.toml")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(text), `listen = "127.0.0.1:8081"`, "listen = "+listen, 1)
		if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		if at := w.Address(first); at != want {
			t.Errorf("%s: %s, want %s", listen, at, want)
		}
		w.end()
		if at := w.Address(first); at != first {
			t.Errorf("%s: %s of a box that waits for an order", listen, at)
		}
	}
}

// The unit of the first start looks for the note where the wizard leaves it.
func TestUnitKnowsTheNote(t *testing.T) {
	unit, err := os.ReadFile("../../../deploy/units/longcheng-first-boot.service")
	if want := "ConditionFileNotEmpty=|" + commission.PutOffFile("/var/lib/longcheng") + "\n"; err != nil || !strings.Contains(string(unit), want) {
		t.Errorf("%v: the unit lacks %s", err, want)
	}
}
