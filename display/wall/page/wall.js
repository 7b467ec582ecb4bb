// The wall page: one fixed set of rows, filled from whole states. It builds no
// element after the start and keeps nothing but the latest message.
import { LABELS, SENTENCE } from "./labels.js";
import { playlist } from "./media.js";

const $ = (q) => document.querySelector(q);
const RECENT = 5, WINDOWS = 12, QUEUES = 8, TURN = 8;

function rows(list, n, cells) {
  return Array.from({ length: n }, () => {
    const li = document.createElement("li");
    const made = Array.from({ length: cells }, () => li.appendChild(document.createElement("span")));
    list.append(li);
    return { li, cells: made };
  });
}
const recent = rows($("#recent ol"), RECENT, 3), windows = rows($("#windows ol"), WINDOWS, 3), queues = rows($("#queues ol"), QUEUES, 4);
const bits = [...document.querySelectorAll("#now .call span")], others = [...document.querySelectorAll("#now .other")];

let setup = { languages: ["zh"], notices: [], media: [], night: null };
let first = LABELS.zh, second = null;
let client = "", build = "", state = null, painted = 0, top = "", heard = performance.now(), skew = 0, turn = 0, stream = null, retry = 1000;

// now is the hall's time of day in the fields of UTC: a screen may be set to any zone.
const now = () => new Date(Date.now() + skew);
// put changes the one text node that an element keeps: no node comes or goes.
function put(el, text) {
  if (!el.firstChild) el.append("");
  if (el.firstChild.data !== text) el.firstChild.data = text;
}
// putLines puts one text into each of the spans that an element keeps.
function putLines(el, ...texts) {
  [...el.children].forEach((span, i) => put(span, texts[i] || ""));
}
function mark(el, cls, on) { el.classList.toggle(cls, Boolean(on)); }
function fill(row, cls, ...texts) {
  if (row.li.className !== cls) row.li.className = cls;
  row.cells.forEach((c, i) => put(c, texts[i] ?? ""));
}
const say = (text) => (setup.languages[0] === "en" && text.en) || text.zh;
const also = (text) => (second && (setup.languages[0] === "en" ? text.zh : text.en)) || "";
const both = (a, b) => (b ? `${a} ${b}` : a);

// onAir tells whether something with a schedule is to be shown now.
function onAir(x, d) {
  const minute = d.getUTCHours() * 60 + d.getUTCMinutes(), clock = (s) => s.split(":").reduce((h, m) => h * 60 + Number(m), 0);
  const day = `${d.getUTCFullYear()}-${String(d.getUTCMonth() + 1).padStart(2, "0")}-${String(d.getUTCDate()).padStart(2, "0")}`;
  if (x.since && day < x.since || x.until && day > x.until) return false;
  if (x.days && !x.days[d.getUTCDay()]) return false;
  const from = x.from ? clock(x.from) : 0, to = x.to ? clock(x.to) : 1440;
  return from <= to ? from <= minute && minute < to : minute >= from || minute < to;
}

function useSetup(s) {
  setup = s;
  first = LABELS[s.languages[0]] || LABELS.zh;
  second = LABELS[s.languages[1]] || null;
  document.documentElement.lang = s.languages[0] === "zh" ? "zh-CN" : s.languages[0];
  const label = (q, pick) => put($(q), both(pick(first), second ? pick(second) : ""));
  label("#now h2 span", (l) => l.now);
  label("#windows h2 span", (l) => l.windows);
  label("#queues h2 span", (l) => l.queues);
  document.querySelectorAll("#recent h2 span").forEach((el, i) => put(el, both(first.recent[i], second ? second.recent[i] : "")));
  label("#cut", (l) => l.cut);
  film.use(s.media);
}

// page returns the part of a long list that is on the screen now.
function page(all, n, place) {
  const pages = Math.max(1, Math.ceil(all.length / n)), p = turn % pages;
  put(place, pages > 1 ? `${p + 1}/${pages}` : "");
  return all.slice(p * n, p * n + n);
}

// fit makes a text as large as its box allows, between most and least units; key
// names all that the size depends on, so that only a change is measured.
const fitted = new Map();
function fit(el, most, least, key) {
  key += ` ${innerWidth} ${innerHeight} ${document.body.className} ${$("#urgent").hidden}`;
  if (fitted.get(el) === key) return;
  fitted.set(el, key);
  for (let i = 0; i <= 16; i++) {
    el.style.setProperty("--size", most - (most - least) * i / 16);
    if (el.scrollWidth <= el.clientWidth && el.scrollHeight <= el.clientHeight + 1) return;
  }
}

function where(c, floors) {
  if (!c) return "";
  const zone = c.zone ? say(c.zone) : "";
  return floors > 1 ? `${first.floor(c.floor)} ${zone}` : "";
}

function paintCalls(w) {
  const box = $("#now"), c = w.calls[0], greet = w.closed && !(c && c.live);
  mark(box, "idle", !c || greet);
  first.call.forEach((t, i) => put(bits[i], t));
  put($("#number"), c ? c.number : "");
  put($("#window"), c ? String(c.window) : "");
  put($("#where"), greet ? "" : where(c, w.floors));
  others.forEach((el, i) => {
    const say = SENTENCE[setup.languages[i + 1]];
    put(el, c && say && !greet ? say(c.number, c.window) : "");
  });
  const words = (l) => (w.closed ? l.closed : l.welcome);
  putLines($("#greeting"), words(first), second && words(second));
  if (c && !greet) fit($("#now .call"), 20, 7, `${c.number} ${c.window} ${setup.languages}`);
  const key = c ? `${c.seq} ${setup.languages}` : "";
  if (key !== top) {
    top = key;
    box.classList.remove("blink");
    void box.offsetWidth; // restarts the animation
    mark(box, "blink", Boolean(c) && c.live);
  }
  recent.forEach((row, i) => {
    const r = w.calls[i + 1];
    if (!r) return fill(row, "empty");
    const desk = w.floors > 1 ? `${first.floor(r.floor)} ${first.desk(r.window)}` : first.desk(r.window);
    fill(row, r.live ? "live" : "", r.number, desk, r.live ? first.status.calling : first.called);
  });
}

function paintLists(w) {
  const busy = w.windows.filter((x) => x.phase !== "closed" && x.phase !== "signed-out");
  const ws = page(busy, WINDOWS, $("#windows em"));
  windows.forEach((row, i) => {
    const x = ws[i];
    if (!x) return fill(row, "empty");
    fill(row, x.number ? x.phase : x.phase + " none", first.desk(x.window), x.number || "—", x.notice || first.status[x.phase] || "");
  });
  const qs = page(w.queues, QUEUES, $("#queues em"));
  queues.forEach((row, i) => {
    const q = qs[i];
    if (!q) return fill(row, "empty");
    const name = say(q.name);
    mark(row.cells[1], "long", name.length > (name.charCodeAt(0) > 0x2e7f ? 6 : 13));
    fill(row, q.windows ? "" : "shut", q.prefix, name, first.people(q.waiting), q.minutes ? first.minutes(q.minutes) : "");
  });
}

// paintNotice shows one line at the bottom: announcements and notices take turns.
function paintNotice(w) {
  const calm = (w.announce || []).filter((a) => !a.urgent).map((a) => a.text);
  const lines = calm.concat(setup.notices.filter((n) => onAir(n, now())).map((n) => n.text));
  const texts = lines.flatMap((t) => [say(t), also(t)]).filter(Boolean);
  if (w.alarm) texts.unshift(first.clock);
  const notice = texts.length ? texts[turn % texts.length] : "";
  put($("#notice"), notice);
  fit($("#notice"), 3.2, 1.6, notice);
  const urgent = (w.announce || []).filter((a) => a.urgent)[0];
  putLines($("#urgent"), urgent && say(urgent.text), urgent && also(urgent.text));
  $("#urgent").hidden = !urgent;
  if (urgent) fit($("#urgent"), 4.6, 2, $("#urgent").innerText);
}

// paintHead gives the hall's name what the clock and the mark leave it.
function paintHead() {
  const d = now(), two = (n) => String(n).padStart(2, "0"), clock = `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}`;
  put($("#date"), first.date(d));
  put($("#time"), clock);
  put($("#sleep time"), clock);
  if (!state) return;
  const name = say(state.wall.title), other = also(state.wall.title);
  put($("#title span"), name);
  put($("#title small"), other);
  put($("#sleep p"), name);
  fit($("#title"), 4.4, 1.6, `${name} ${other} ${first.date(d)} ${$("#cut").hidden}`);
}

function paint() {
  if (!state) return;
  const w = state.wall;
  paintHead();
  paintCalls(w);
  paintLists(w);
  paintNotice(w);
  const night = Boolean(setup.night) && onAir(setup.night, now());
  mark(document.body, "night", night);
  const asleep = night && w.closed && !w.calls.some((c) => c.live) && !(w.announce || []).length;
  $("#sleep").hidden = !asleep;
  film.rest(asleep);
}

// acknowledge tells the daemon what is on the glass: after the second frame the
// first one has been presented.
function acknowledge(m) {
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (state !== m || !client) return;
    painted = m.seq;
    post("ack", { client, message: m.seq, seq: m.wall.calls.map((c) => c.seq), build });
  }));
}

// beat proves that frames are still drawn, and which message they show.
function beat() {
  if (!client) return;
  const mine = client, message = painted;
  requestAnimationFrame(() => requestAnimationFrame(() => post("beat", { client: mine, message, build })));
}

function post(path, body) {
  fetch(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }).catch(() => {});
}

function alive(serverNow) {
  heard = performance.now();
  if (serverNow) skew = serverNow - Date.now();
}

function connect() {
  stream?.close();
  const s = stream = new EventSource("events");
  s.addEventListener("hello", (e) => {
    const h = JSON.parse(e.data);
    if (build && build !== h.build) return location.reload();
    client = h.client; build = h.build; retry = 1000;
    useSetup(h.setup);
    alive();
    paint();
  });
  s.addEventListener("state", (e) => {
    const m = JSON.parse(e.data);
    alive(m.now);
    state = m;
    paint();
    acknowledge(m);
  });
  s.addEventListener("beat", (e) => alive(Number(e.data)));
  s.onerror = () => {
    if (s !== stream) return;
    s.close();
    client = "";
    setTimeout(() => { if (s === stream) connect(); }, retry);
    retry = Math.min(retry * 2, 5000);
  };
}

// shift moves everything by up to four pixels, and the sleeping clock about, so that
// no pixel shows the same for weeks.
const PATH = [[0, 0], [2, 1], [4, 2], [3, 4], [1, 3], [-1, 4], [-3, 2], [-4, 0], [-2, -2], [-3, -4], [0, -3], [2, -4], [4, -2]];
function shift(minute) {
  const [x, y] = PATH[Math.floor(minute / 3) % PATH.length];
  document.body.style.transform = `translate(${x}px, ${y}px)`;
  const box = $("#sleep div");
  box.style.transform = `translate(${(minute * 37) % 50}vw, ${(minute * 23) % 60}vh)`;
}

// tick runs every second: clock, connection marks, watchdog.
let ticks = 0;
function tick() {
  const d = now();
  const silent = performance.now() - heard;
  const open = stream && stream.readyState === EventSource.OPEN && client;
  const lost = Boolean(state && state.wall.lost);
  $("#cut").hidden = !(lost || silent > (open ? 22000 : 10000));
  mark(document.body, "stale", silent > 60000);
  paintHead();
  ticks++;
  if (ticks % TURN === 0) { turn++; if (state) paint(); }
  if (ticks % 5 === 0) beat();
  shift(Math.floor(d.getTime() / 60000));
  film.tick(d, onAir);
  if (silent > 25000 && open) connect(); // the stream is open and says nothing
  // A page that hears nothing although the daemon answers loads itself anew;
  // without an answer it stays, because a reload would show an error page.
  if (silent > 90000 && ticks % 30 === 0) fetch("wall.js", { cache: "no-store" }).then((r) => { if (r.ok) location.reload(); }).catch(() => {});
  if (d.getUTCHours() === 3 && d.getUTCMinutes() === 0 && ticks > 7200 && open) location.reload();
}
const film = playlist($("#media"), $("#picture"), $("#film"));
document.fonts.addEventListener("loadingdone", () => { fitted.clear(); paint(); });
setInterval(tick, 1000);
tick();
connect();
