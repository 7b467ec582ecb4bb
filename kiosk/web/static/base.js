'use strict';
// What every page of the hall shares. No page of ours loads anything from elsewhere.
const $ = (id) => document.getElementById(id);

// Chinese is written without spaces, and a browser breaks its lines between any two
// characters: 人力资|源. Where the browser knows the words, phrases cuts a text into
// pieces that stay whole: a single character goes with the word before it, as in
// 公安|局, or after it, as in 和|社会.
const segmenter = Intl.Segmenter && new Intl.Segmenter('zh', { granularity: 'word' });
const han = /^\p{Script=Han}+$/u;
const ahead = '和与及或至在对为按由从向以不请如未无';
if (segmenter) document.documentElement.classList.add('phrases'); // the style sheet forbids other breaks

function phrases(s) {
  const pieces = [];
  let open = false; // what comes next belongs to the last piece
  for (const { segment: word } of segmenter.segment(s)) {
    const single = han.test(word) && word.length === 1;
    const apart = han.test(word) && han.test((pieces.at(-1) || '').slice(-1)) && !open;
    if (!pieces.length || (apart && (!single || ahead.includes(word)))) pieces.push(word);
    else pieces[pieces.length - 1] += word;
    open = single && (pieces.at(-1) === word || ahead.includes(word));
  }
  return pieces;
}

// breakable is a text with a place to break between its phrases.
function breakable(s) {
  if (typeof s !== 'string' || !segmenter) return s;
  return phrases(s).flatMap((p, i) => (i ? [document.createElement('wbr'), p] : p));
}

// h makes an element; text never becomes markup.
function h(tag, props, ...kids) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(props || {})) {
    if (k in e && k !== 'list') e[k] = v;
    else e.setAttribute(k, v);
  }
  const some = kids.flat(9).filter((x) => x !== null && x !== undefined && x !== false && x !== '');
  e.append(...some.flatMap(breakable));
  return e;
}

const handlers = ['onclick', 'onsubmit', 'oninput', 'onchange'];

// patch makes old look like fresh and keeps every node it can: a finger that is
// on a button, the focus and half-typed text survive a new state. Nodes of another
// tag or id are replaced.
function patch(old, fresh) {
  if (old.nodeName !== fresh.nodeName || old.id !== fresh.id) return old.replaceWith(fresh);
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const a of [...old.attributes]) if (!fresh.hasAttribute(a.name)) old.removeAttribute(a.name);
  for (const a of fresh.attributes)
    if (old.getAttribute(a.name) !== a.value) old.setAttribute(a.name, a.value);
  for (const k of handlers) old[k] = fresh[k];
  patchAll(old, [...fresh.childNodes]);
}

function patchAll(parent, fresh) {
  const old = [...parent.childNodes];
  fresh.forEach((f, i) => (i < old.length ? patch(old[i], f) : parent.append(f)));
  old.slice(fresh.length).forEach((o) => o.remove());
}

// show makes kids the content of a node.
function show(node, ...kids) {
  patchAll(node, [...h('div', {}, ...kids).childNodes]);
}

const pause = (ms) => new Promise((r) => setTimeout(r, ms));
// clock counts seconds and, unlike the time of day, is never set.
const clock = () => performance.now() / 1000;
// pick is a text in a language; the daemon's own sentences begin small.
const pick = (t, lang) => (t ? (lang === 'en' && t.en && t.en[0].toUpperCase() + t.en.slice(1)) || t.zh || '' : '');
const minutes = (ns) => Math.max(1, Math.round(ns / 6e10));
// hms is a time of day in the zone of the hall.
const hms = (s, zone) => new Date(s).toLocaleTimeString('zh-CN', { hour12: false, timeZone: zone });

// newKey is a UUID of version 7: it begins with the time.
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const now = Date.now();
  for (let i = 0; i < 6; i++) bytes[i] = now / 2 ** (40 - 8 * i);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

const lost = {
  code: 'offline',
  text: { zh: '网络中断，请稍候再试', en: 'The connection is lost. Please try again in a moment.' },
};
const strange = { code: 'internal', text: { zh: '出了点问题', en: 'Something went wrong.' } };

// request makes one attempt and returns its status and what was answered.
async function request(method, path, key, body) {
  const headers = { 'Idempotency-Key': key };
  if (body) headers['Content-Type'] = 'application/json';
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), 10000);
  try {
    const r = await fetch('/api/v1' + path, {
      method,
      headers,
      signal: stop.signal,
      body: body ? JSON.stringify(body) : undefined,
    });
    const text = await r.text();
    return { ok: r.ok, status: r.status, value: text ? JSON.parse(text) : null };
  } finally {
    clearTimeout(timer);
  }
}

// call asks until it has an answer; every attempt bears the same key, so it can
// never happen twice. An answer that is not a success is thrown as its problem.
async function call(method, path, body, tries = 4) {
  const key = newKey();
  for (let n = 1; ; n++) {
    const r = await request(method, path, key, body).catch(() => null);
    if (r && r.ok) return r.value;
    if (r && (r.status !== 503 || n >= tries)) throw r.value && r.value.text ? r.value : strange;
    if (n >= tries) throw lost;
    await pause(400 * n);
  }
}

// follow keeps a stream alive: it reconnects by itself, also when nothing has been
// heard for longer than two heartbeats.
function follow(url, onState, onLink) {
  let es, last, shut;
  const open = () => {
    if (es) es.close();
    shut = false;
    last = clock();
    es = new EventSource(url);
    es.addEventListener('state', (e) => {
      last = clock();
      onLink(true);
      onState(JSON.parse(e.data));
    });
    es.addEventListener('fault', () => {
      last = clock();
      onLink(false);
    });
    es.onerror = () => onLink(false);
  };
  open();
  setInterval(() => {
    if (shut || clock() - last < 25 && es.readyState !== EventSource.CLOSED) return;
    onLink(false);
    open();
  }, 3000);
  const close = () => {
    shut = true;
    es.close();
  };
  return { close, reopen: open };
}

// Browsers allow this on the box itself and over https; elsewhere pages do without.
if (navigator.serviceWorker) navigator.serviceWorker.register('/worker.js').catch(() => {});
