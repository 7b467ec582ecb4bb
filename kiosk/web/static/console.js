'use strict';
// The clerk's console: who is signed in (me), what the hall says (state), and what
// a clerk can do. The views are in desk.js, the field for a window is in picker.js.
let hall;
let me = null;
let state = null;
let link = null;
let linked = false;
let heard = 0; // when me.now was the time
let busy = false;
let parked = []; // visits this window holds or skipped
let asked = 0; // readings of parked begun
let answered = 0; // the last one that came back
let found = null; // the ticket that was looked for
let note = null; // what went wrong last, or what became of it, in both languages
let lang = localStorage.getItem('lang') || 'zh';

const ended = { zh: '登录已失效，请重新登录', en: 'Your session has ended. Please sign in again.' };
const say = (zh, en) => (lang === 'en' ? en : zh);
const text = (t) => pick(t, lang);
const win = () => hall.windows.find((w) => w.id === me.window);
const mine = () => (state && state.windows.find((w) => w.window === me.window)) || { desk: 'closed', groups: win().groups };
const at = (path) => `/windows/${encodeURIComponent(me.window)}/${path}`;
const trim = (o) => Object.fromEntries(Object.entries(o).filter(([, v]) => v));

// run makes one request; while it runs no other can begin.
async function run(path, body, method = 'POST') {
  if (busy) return null;
  busy = true;
  note = null;
  draw();
  let answer = null;
  try {
    answer = await call(method, path, body);
  } catch (p) {
    refused(p);
  }
  busy = false;
  draw();
  return answer;
}

// refused says why; a session that ended or moved on is found out here.
function refused(p) {
  note = p.text;
  if (p.code === 'sign_in') {
    note = ended;
    end();
  }
  if (p.code === 'other_window') whoAmI();
}

const act = (what, body) => run(at(what), body);
const openDesk = (groups) => run(at('state'), { desk: 'open', ...(groups ? { groups } : {}) }, 'PUT');
const closeDesk = () => run(at('state'), { desk: 'closed' }, 'PUT');
// A pause keeps the queues that were chosen.
const pauseDesk = (notice) => run(at('state'), { desk: 'paused', notice, groups: mine().groups }, 'PUT');

async function actParked(what, visit, more) {
  await act(what, { visit, ...more });
  readParked();
}

async function find(e) {
  e.preventDefault();
  const number = new FormData(e.target).get('number').trim().toUpperCase();
  found = null;
  found = await run('/visits?number=' + encodeURIComponent(number), null, 'GET');
  draw();
}

// readParked reads what the window set aside. Of readings that overlap only the
// last one counts; one that failed is made again with the next state.
async function readParked() {
  if (!me || !me.window) return;
  const mine = ++asked;
  try {
    const list = await call('GET', at('parked'), null, 1);
    const again = found && (await call('GET', '/visits?number=' + encodeURIComponent(found.number), null, 1));
    if (mine !== asked) return;
    answered = mine;
    parked = list;
    if (found && again && found.id === again.id) found = again;
  } catch {
    return;
  }
  draw();
}

// whoAmI asks again who is signed in: another tab of this browser may have changed it.
// An answer that comes after this page itself signed in or out is an old one.
async function whoAmI() {
  const before = me;
  try {
    const now = await call('GET', '/session', null, 1);
    if (me !== before) return;
    if (before && now.window !== before.window)
      note = { zh: '已在另一页面登录其他窗口，本页已切换', en: 'Another tab signed in at another window; this page follows it.' };
    know(now);
  } catch (p) {
    if (p.code !== 'sign_in' || me !== before) return;
    if (before) note = ended;
    end();
  }
  if (!before || !me || before.window !== me.window) readParked();
  draw();
}

function know(session) {
  me = session;
  heard = clock();
}

// end forgets the session; the stream goes on without it only after a new one.
function end() {
  me = null;
  state = null;
  parked = [];
  found = null;
  if ($('dialog').open) $('dialog').close();
  if (link) link.close();
  link = null;
}

async function signIn(e) {
  e.preventDefault();
  judge(e.target.elements.window); // a browser may have restored what was typed before
  if (!e.target.reportValidity()) return;
  const form = Object.fromEntries(new FormData(e.target));
  const session = await run('/session', { ...form, window: windowOf(form.window).id });
  if (!session) return;
  know(session);
  localStorage.setItem('window', me.window || '');
  begin();
}

async function leave() {
  if (busy) return;
  busy = true;
  try {
    await call('DELETE', '/session', null, 2);
    note = null;
    end();
  } catch (p) {
    note = p.text;
  }
  busy = false;
  draw();
}

function onState(s) {
  const moved = !state || state.seq !== s.seq;
  state = s;
  if (!busy) draw();
  if (moved || asked !== answered) readParked();
}

function onLink(ok) {
  if (ok === linked) return;
  linked = ok;
  if (ok) whoAmI(); // the session may have ended meanwhile
  draw();
}

function begin() {
  if (link) link.close();
  link = follow('/api/v1/stream' + (me.window ? '?window=' + encodeURIComponent(me.window) : ''), (s) => me && onState(s), onLink);
  draw();
}

function switchLanguage() {
  lang = lang === 'zh' ? 'en' : 'zh';
  localStorage.setItem('lang', lang);
  draw();
}

addEventListener('keydown', (e) => {
  if (!me || !state || $('dialog').open || !/^F\d+$/.test(e.key)) return;
  const k = keys(mine()).find((x) => x.key === e.key);
  if (!k) return;
  e.preventDefault();
  if (k.can && !busy && !e.repeat) k.go();
});
addEventListener('focus', () => me && whoAmI());
setInterval(() => {
  if (me && state && !busy) draw(); // the clocks on the page
}, 1000);

(async () => {
  for (;;) {
    try {
      hall = await call('GET', '/hall', null, 1);
      break;
    } catch {
      onLink(false);
      $('banner').hidden = false;
      $('banner').textContent = '网络中断，正在重连… Offline. Reconnecting…';
      await pause(2000);
    }
  }
  $('banner').hidden = true;
  try {
    know(await call('GET', '/session', null, 1));
  } catch {
    me = null;
  }
  if (me && me.window) begin();
  else draw();
})();
