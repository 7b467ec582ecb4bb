// The bench page: asks for the state four times a second and changes only what differs.
const POLL = 250; // half a blink is 500 ms
const KINDS = ['printers', 'strips', 'boards', 'scanners', 'readers', 'voices'];
const $ = (id) => document.getElementById(id);

/** el makes an element: el('b.small', {title: 'x'}, child, …). */
function el(spec, props = {}, ...children) {
  const [tag, ...classes] = spec.split('.');
  const e = document.createElement(tag);
  if (classes.length) e.className = classes.join(' ');
  Object.assign(e, props);
  e.append(...children);
  return e;
}

const both = (zh, en) => [zh, el('small', {}, en)];

let toastTimer;
function toast(text) {
  $('toast').textContent = text;
  $('toast').hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $('toast').hidden = true; }, 4000);
}

async function act(kind, i, name, body = {}) {
  try {
    const r = await fetch(`/bench/api/${kind}/${i}/${name}`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    });
    if (!r.ok) toast((await r.json()).error);
  } catch {
    toast('工作台没有应答 · the bench does not answer');
  }
  refresh();
}

function button(zh, en, onclick, cls = '') {
  return el('button' + cls, { type: 'button', onclick }, ...both(zh, en));
}

/** toggle is a switch whose position comes from the state. */
function toggle(zh, en, flip) {
  const b = button(zh, en, () => flip(b.getAttribute('aria-pressed') !== 'true'), '.toggle');
  b.set = (on) => { b.setAttribute('aria-pressed', String(on)); };
  b.set(false);
  return b;
}

/** panel is the frame of one device: name, cable, contents. */
function panel(kind, i, zh, en, name, ...contents) {
  const cable = el('button.cable', { type: 'button', onclick: () => act(kind, i, 'cable', { on: !plugged }) });
  let plugged = true;
  const p = el('article.panel.' + kind, {},
    el('h2', {}, zh, el('small', {}, en), el('code', {}, name), cable), ...contents);
  p.setPlugged = (on) => {
    if (cable.dataset.on === String(on)) return;
    plugged = on;
    cable.dataset.on = String(on);
    cable.replaceChildren(el('i'), on ? '已连接' : '已拔出', el('small', {}, on ? 'unplug' : 'plug in'));
    p.classList.toggle('unplugged', !on);
  };
  return p;
}

function sheet(i, s, dots) {
  return el('figure.slip' + (s.complete ? '' : '.spoiled'), {},
    el('img', { src: `/bench/api/printers/${i}/slips/${s.no}?v=${s.version}`, alt: (s.text ?? []).join(' '), width: dots, height: s.rows }),
    el('figcaption', {}, `第 ${s.no} 张`, s.complete ? '' : el('b', {}, ' 残票 spoiled')));
}

/** sheets keeps one figure per slip, so pictures do not flicker. */
function sheets(box, i, dots) {
  const kept = new Map();
  return (list) => {
    const want = list.map((s) => {
      if (!kept.has(s.version)) kept.set(s.version, sheet(i, s, dots));
      return kept.get(s.version);
    });
    for (const [v] of kept) if (!list.some((s) => s.version === v)) kept.delete(v);
    const same = box.children.length === want.length && want.every((e, n) => box.children[n] === e);
    if (!same) box.replaceChildren(...want);
  };
}

function printer(i, s) {
  const flip = (name, value = (on) => on) => (on) => act('printers', i, name, { on: value(on) });
  const t = {
    near: toggle('纸将尽', 'near end', flip('near')),
    out: toggle('缺纸', 'paper out', (on) => act('printers', i, on ? 'out' : 'roll')),
    cover: toggle('开盖', 'cover open', flip('cover')),
    jam: toggle('切刀卡死', 'cutter jam', flip('jam')),
    off: toggle('断电', 'power off', flip('power', (on) => !on)),
    silent: toggle('不应答', 'silent', flip('silent')),
    garbled: toggle('乱码应答', 'garbled', flip('garbled')),
  };
  const hanging = el('img', { alt: '未切断的纸 · hanging paper', hidden: true });
  const out = el('div.out');
  const pile = el('div.pile');
  const count = el('span.count');
  const lights = el('div.lights');
  const take = button('取走纸票', 'take the slips', () => act('printers', i, 'take'));
  const p = panel('printers', i, '取号打印机', 'ticket printer', s.name,
    el('div.work', {},
      el('div.machine', {},
        el('div.head', {}, lights, el('div.slot')),
        el('div.tray', {}, el('div.hanging', {}, hanging), out)),
      el('div.side', {},
        el('div.group', {}, t.out, t.near, button('换新纸卷', 'new roll', () => act('printers', i, 'roll')),
          t.cover, t.jam, t.off, t.silent, t.garbled),
        el('div.torn', {}, el('h3', {}, '已取走', el('small', {}, 'torn off'), count), pile, take))));
  const drawOut = sheets(out, i, s.dots);
  const drawPile = sheets(pile, i, s.dots);
  p.update = (s) => {
    p.setPlugged(s.plugged);
    for (const k in t) t[k].set(s[k]);
    const word = s.off ? ['断电', 'off', 'dark'] : s.out || s.cover || s.jam ? ['故障', 'fault', 'bad'] : s.near ? ['纸将尽', 'near end', 'warn'] : ['就绪', 'ready', 'good'];
    lights.replaceChildren(el('i.' + word[2]), word[0], el('small', {}, word[1]));
    hanging.hidden = s.hanging.rows === 0;
    const src = `/bench/api/printers/${i}/hanging.png?v=${s.hanging.version}`;
    if (s.hanging.rows > 0 && hanging.getAttribute('src') !== src) hanging.src = src;
    const slips = s.slips ?? [];
    drawOut(slips.filter((x) => x.no > s.taken).slice(0, 8));
    drawPile(slips.filter((x) => x.no <= s.taken).slice(0, 6));
    out.classList.toggle('empty', s.count === s.taken && s.hanging.rows === 0);
    count.textContent = `共 ${s.count} 张，取走 ${s.taken} 张`;
    take.disabled = s.count === s.taken;
  };
  return p;
}

function reader(i, s, people) {
  const cards = people.map((x) => el('button.card', { type: 'button', onclick: () => act('readers', i, 'put', { person: x.id }) },
    el('i'), el('span', {}, x.zh, el('small', {}, x.en))));
  const lift = button('拿起证件', 'lift the card', () => act('readers', i, 'lift'));
  const p = panel('readers', i, '身份证阅读器', 'ID card reader', s.name, el('div.cards', {}, ...cards), lift);
  p.update = (s) => {
    p.setPlugged(s.plugged);
    people.forEach((x, n) => cards[n].setAttribute('aria-pressed', String(x.id === s.card)));
    lift.disabled = s.card === '';
  };
  return p;
}

function scanner(i, s) {
  const code = el('input', { type: 'text', maxLength: 512, placeholder: '二维码或条码内容', autocomplete: 'off', ariaLabel: '码 code' });
  const last = el('p.last');
  const form = el('form', { onsubmit: (e) => { e.preventDefault(); act('scanners', i, 'scan', { code: code.value }); } },
    code, el('button', {}, ...both('扫码', 'scan')));
  const p = panel('scanners', i, '扫码器', 'scanner', s.name, form, last);
  p.update = (s) => {
    p.setPlugged(s.plugged);
    last.textContent = s.last ? `上一码 last: ${s.last}` : '尚未扫码 · nothing scanned yet';
  };
  return p;
}

function board(i, s) {
  const keys = s.keys.map((k) => {
    const press = (ms) => act('boards', i, 'press', { key: k.n, hold_ms: ms });
    const lamp = el('button.key', { type: 'button', title: '短按 · press', onclick: () => press(250) }, el('i'), k.label || `按钮 ${k.n + 1}`);
    return el('div.keybox', {}, lamp, el('button.long', { type: 'button', onclick: () => press(3000) }, '长按 3 s', el('small', {}, 'hold')));
  });
  const p = panel('boards', i, '按钮和灯', 'buttons', s.name, el('div.keys', {}, ...keys));
  p.update = (s) => {
    p.setPlugged(s.plugged);
    s.keys.forEach((k, n) => {
      keys[n].classList.toggle('lit', k.lamp);
      keys[n].classList.toggle('held', k.held);
    });
  };
  return p;
}

/** sign is one sign; its line's cable belongs to the panel around it. */
function sign(i, s) {
  const img = el('img', { alt: '' });
  const dead = toggle('拔下', 'unplug', (on) => act('strips', i, 'dead', { on }));
  const off = toggle('断电', 'power off', (on) => act('strips', i, 'power', { on: !on }));
  const p = el('figure.sign', {}, el('figcaption', {}, el('b', {}, s.name), el('code', {}, s.kind)),
    el('div.led', {}, img), el('div.row', {}, dead, off));
  p.update = (s) => {
    dead.set(s.dead);
    off.set(s.off);
    const src = `/bench/api/strips/${i}/strip.png?v=${s.version}`;
    if (img.getAttribute('src') !== src) img.src = src;
    img.alt = s.text;
    img.title = s.text;
    p.classList.toggle('dark', s.off);
  };
  return p;
}

/** signLines makes a panel for each line, with the signs that hang on it. */
function signLines(strips) {
  return [...new Set(strips.map((s) => s.line))].map((name) => {
    const mine = strips.map((s, i) => [s, i]).filter(([s]) => s.line === name);
    const signs = mine.map(([s, i]) => [i, sign(i, s)]);
    const p = panel('strips', mine[0][1], '条屏线路', 'line of signs', name, el('div.signs', {}, ...signs.map(([, e]) => e)));
    p.update = (all) => {
      p.setPlugged(all[mine[0][1]].plugged);
      for (const [i, e] of signs) e.update(all[i]);
    };
    return p;
  });
}

function voice(i, s) {
  const list = el('ol.said');
  const p = el('article.panel.voices', {}, el('h2', {}, '语音', el('small', {}, 'voice'), el('code', {}, s.name)), list);
  let latest;
  p.update = (s) => {
    const now = s.said.length ? s.said[0].file : '';
    if (now === latest) return;
    latest = now;
    list.replaceChildren(...s.said.map((x) => el('li', {}, el('time', {}, new Date(x.at).toLocaleTimeString('zh-CN', { hour12: false })),
      el('span', {}, x.text), el('a', { href: `/bench/api/voices/${i}/${x.file}`, download: '' }, '下载录音', el('small', {}, 'WAV')))));
    if (!s.said.length) list.replaceChildren(el('li', {}, '还没有播报 · nothing spoken yet'));
  };
  return p;
}

let lines;
let parts; // made at the first answer, and again when the simulator comes back with other devices
let laid;

function build(s) {
  const make = (kind, f) => {
    const list = (s[kind] ?? []).map((d, i) => f(i, d, s.people));
    $(kind).replaceChildren(...list);
    return list;
  };
  parts = { printers: make('printers', printer), boards: make('boards', board),
    scanners: make('scanners', scanner), readers: make('readers', reader), voices: make('voices', voice) };
  lines = signLines(s.strips ?? []);
  $('strips').replaceChildren(...lines);
}

let asked = 0;
async function refresh() {
  const mine = ++asked;
  try {
    const r = await fetch('/bench/api/state');
    if (!r.ok) throw new Error(r.statusText);
    const s = await r.json();
    if (mine !== asked) return; // a later answer is on its way
    const names = JSON.stringify(KINDS.map((k) => (s[k] ?? []).map((d) => [d.name, (d.keys ?? []).length])));
    if (laid !== names) build(s);
    laid = names;
    for (const kind in parts) parts[kind].forEach((p, i) => p.update(s[kind][i]));
    for (const p of lines) p.update(s.strips);
    online(true);
  } catch {
    if (mine === asked) online(false);
  }
}

function online(on) {
  document.body.classList.toggle('offline', !on);
  $('line').replaceChildren(el('i'), on ? '运行中' : '模拟程序没有应答', el('small', {}, on ? 'running' : 'no answer from the simulator'));
}

refresh();
setInterval(() => { if (!document.hidden) refresh(); }, POLL);
