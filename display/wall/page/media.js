// The playlist: one picture element and one film element, used again and again. A
// piece that cannot be shown is passed over; with none on air the card goes away.
export function playlist(card, picture, film) {
  let all = [], at = -1, until = 0, now = null, resting = false;
  const hide = () => { picture.hidden = film.hidden = true; film.pause(); };
  const skip = () => { until = 0; };
  picture.onerror = film.onerror = film.onended = skip;

  function show(x) {
    now = x;
    hide();
    if (x.kind === "video") {
      film.src = "media/" + encodeURIComponent(x.file);
      film.hidden = false;
      film.play().catch(skip);
    } else {
      film.removeAttribute("src");
      picture.src = "media/" + encodeURIComponent(x.file);
      picture.hidden = false;
    }
  }
  return {
    use(list) { all = list || []; at = -1; until = 0; now = null; },
    rest(on) { resting = on; if (on) hide(); },
    tick(date, onAir) {
      const ready = resting ? [] : all.filter((x) => onAir(x, date));
      document.body.classList.toggle("media", ready.length > 0);
      if (!ready.length) { if (now) hide(); now = null; return; }
      if (now && ready.includes(now) && performance.now() < until) return;
      at = (at + 1) % ready.length;
      until = performance.now() + 1000 * (ready[at].seconds || 15);
      if (ready[at] !== now || now.kind === "video") show(ready[at]);
    },
  };
}
