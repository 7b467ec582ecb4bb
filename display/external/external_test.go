package external

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"longcheng/display"
	"longcheng/kiosk"
)

// TestMain lets this test program play the external one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "as-program" {
		play()
		return
	}
	os.Exit(m.Run())
}

// play answers as its states ask for, by ticket number.
func play() {
	fmt.Fprintln(os.Stderr, "library 1.2 loaded")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var s State
		if err := json.Unmarshal(in.Bytes(), &s); err != nil {
			fmt.Fprintln(os.Stderr, "bad line:", err)
			os.Exit(3)
		}
		switch s.Number {
		case "silent":
		case "die":
			os.Exit(4)
		case "babble":
			fmt.Println("hello")
		case "no":
			fmt.Printf("{\"seq\":%d,\"error\":\"panel 3\\ndoes not answer\"}\n", s.Seq)
		default:
			fmt.Printf("{\"seq\":%d,\"ok\":true}\n", s.Seq)
		}
	}
}

func start(t *testing.T, set ...func(*Program)) (*Program, <-chan error) {
	t.Helper()
	p := NewProgram(os.Args[0], "as-program")
	exits := make(chan error, 100)
	p.OnExit = func(err error) { exits <- err }
	for _, f := range set {
		f(p)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	return p, exits
}

// show tries until the program runs.
func show(t *testing.T, p *Program, number string) ([]int64, error) {
	t.Helper()
	v := display.View{Calls: []int64{5}, Strip: &display.Strip{Window: 3, Phase: display.PhaseCalling, Number: number, Text: kiosk.Text{ZH: "请" + number}}}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		shown, err := NewSign("strip:3", p).Show(ctx, v)
		if !errors.Is(err, ErrAway) || ctx.Err() != nil {
			return shown, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func waiting(p *Program) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waits)
}

func TestTheProgramsAnswerIsTheProof(t *testing.T) {
	p, _ := start(t)
	if shown, err := show(t, p, "A012"); err != nil || !slices.Equal(shown, []int64{5}) {
		t.Fatal(shown, err)
	}
	if shown, err := show(t, p, "no"); shown != nil || err == nil || !strings.Contains(err.Error(), "panel 3 does not answer") {
		t.Fatal(shown, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	v := display.View{Strip: &display.Strip{Number: "silent"}}
	if _, err := NewSign("strip:3", p).Show(ctx, v); !errors.Is(err, context.DeadlineExceeded) || waiting(p) != 0 {
		t.Fatal(err, waiting(p))
	}
	if _, err := NewSign("strip:3", p).Show(ctx, display.View{}); err == nil {
		t.Error("showed a view that is not a strip's")
	}
}

// A program that dies or babbles is started again, and its last words are kept.
func TestADeadProgramComesBack(t *testing.T) {
	steady := make(chan bool, 1)
	p, exits := start(t, func(p *Program) {
		p.steady, p.OnSteady = time.Millisecond, func() {
			select {
			case steady <- true:
			default:
			}
		}
	})
	<-steady
	for _, number := range []string{"die", "babble"} {
		if _, err := show(t, p, "A001"); err != nil {
			t.Fatal(err)
		}
		v := display.View{Strip: &display.Strip{Number: number}}
		if _, err := NewSign("strip:3", p).Show(t.Context(), v); !errors.Is(err, ErrAway) {
			t.Fatal(err)
		}
		if err := <-exits; !strings.Contains(err.Error(), "library 1.2 loaded") {
			t.Fatal(err)
		}
	}
	if _, err := show(t, p, "A002"); err != nil {
		t.Fatal(err)
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(`{"seq":1,"ok":true}`))
	f.Add([]byte(`{"seq":1,"error":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, err := ParseAnswer(b); err == nil && a.OK == (a.Error != "") {
			t.Fatal("accepted")
		}
	})
}
