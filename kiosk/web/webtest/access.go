package webtest

import (
	"fmt"
	"strings"
)

// barriers computes the contrast of every text with what lies behind it, as WCAG
// 2.2 defines it (1.4.3), and the size of everything that can be touched. Layers
// that let the ground shine through are mixed; of a gradient every colour counts.
const barriers = `(least => {
  const parse = s => (s.match(/rgba?\([^)]*\)/g) || []).map(c => {
    const [r, g, b, a = 1] = c.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  });
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const grounds = e => {
    if (!e) return [[255, 255, 255]];
    const c = getComputedStyle(e), own = parse(c.backgroundColor)[0], stops = parse(c.backgroundImage);
    if (!stops.length && own[3] === 1) return [own.slice(0, 3)];
    const below = grounds(e.parentElement).map(b => over(own, b));
    return stops.length ? stops.flatMap(s => below.map(b => over(s, b))) : below;
  };
  const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((l, v, i) => l + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)]; return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
  const found = [];
  const name = e => e.tagName + '#' + e.id + '.' + e.className + ': ' + (e.innerText || e.name || '').slice(0, 40).replaceAll('\n', ' ');
  for (const e of document.querySelectorAll('body, body *')) {
    const r = e.getBoundingClientRect(), c = getComputedStyle(e);
    if (!r.width || !r.height || c.visibility === 'hidden' || e.closest('dialog:not([open])')) continue;
    if ([...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) {
      const ink = parse(c.color)[0], worst = Math.min(...grounds(e).map(g => ratio(over(ink, g), g)));
      if (worst < 4.5) found.push('contrast ' + worst.toFixed(2) + ' ' + name(e));
    }
    if (e.matches('button, a, input, select, summary') && !e.closest('p') && e.type !== 'checkbox' && Math.min(r.width, r.height) < least)
      found.push('target ' + Math.round(r.width) + 'x' + Math.round(r.height) + ' ' + name(e));
  }
  return found.join('\n');
})(%d)`

// Barriers lists what people with weak eyes or unsteady hands stumble over: text
// with a contrast below 4.5 : 1, and targets smaller than least pixels.
func (p *Page) Barriers(least int) []string {
	p.t.Helper()
	return lines(Eval[string](p, fmt.Sprintf(barriers, least)))
}

// Collisions lists the buttons that lie on each other.
func (p *Page) Collisions() []string {
	p.t.Helper()
	return lines(Eval[string](p, `(() => {
    const all = [...document.querySelectorAll('button')].map(e => [e.innerText.slice(0, 20).replaceAll('\n', ' '), e.getBoundingClientRect()]).filter(([, r]) => r.width);
    const on = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
    return all.flatMap(([x, a], i) => all.slice(i + 1).filter(([, b]) => on(a, b)).map(([y]) => x + ' / ' + y)).join('\n');
  })()`))
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}
