'use strict';
// The page behind the QR of a ticket: where the visit stands, on a phone.
const id = location.pathname.split('/').pop();
let lang = (navigator.language || 'zh').startsWith('zh') ? 'zh' : 'en';
let hall = null;
let ticket = null;
let fault = null;
let linked = true;

const say = (zh, en) => (lang === 'en' ? en : zh);
const text = (t) => pick(t, lang);

const states = () => ({
  waiting: say('等候中', 'Waiting'),
  called: say('请到窗口办理', 'Please go to the window'),
  serving: say('办理中', 'Being served'),
  served: say('已办结', 'Finished'),
  held: say('挂起，请稍候', 'On hold, please wait'),
  skipped: say('已过号', 'You were called and missed it'),
  cancelled: say('已取消', 'Cancelled'),
  expired: say('已失效', 'No longer valid'),
});

const fact = (name, value) => h('p', {}, name, h('b', {}, value));

function waiting(l) {
  const q = hall.queues.find((x) => x.id === l.queue);
  const zone = q && hall.zones.find((z) => z.id === q.zone);
  const m = ticket.estimate_ns && ticket.ahead ? minutes(ticket.estimate_ns) : 0;
  return [
    h(
      'div',
      { className: 'facts' },
      fact(say('前面还有', 'Ahead of you'), ticket.ahead ? say(`${ticket.ahead} 人`, String(ticket.ahead)) : say('您是下一位', 'You are next')),
      fact(say('预计等候', 'Estimated wait'), m ? say(`约 ${m} 分钟`, `about ${m} min`) : '—'),
    ),
    zone ? h('p', {}, say('请在 ', 'Please wait in '), h('b', {}, text(zone.name)), say(' 等候，留意叫号和大屏', ' and mind the calls and screens')) : null,
  ];
}

// proofs lists the displays that have shown the call, by their own word.
function proofs(l) {
  const kinds = { strip: say('窗口屏已显示', 'on the window sign'), wall: say('大屏已显示', 'on the big screen'), voice: say('语音已播报', 'spoken aloud'), board: say('显示屏已显示', 'on a board') };
  const first = new Map();
  for (const p of ticket.shown || []) {
    const kind = p.surface.split(':')[0];
    if (p.leg === l.id && kinds[kind] && !(first.get(kind) <= p.at)) first.set(kind, p.at);
  }
  if (!first.size) return null;
  return h('ul', { className: 'proofs' }, [...first].map(([kind, at]) => h('li', {}, `✓ ${kinds[kind]} `, h('small', {}, hms(at, hall.timezone)))));
}

function leg(l) {
  const item = hall.items.find((i) => i.id === l.item);
  const w = hall.windows.find((x) => x.id === l.window);
  const there = w && (l.state === 'called' || l.state === 'serving');
  const list = item && ['waiting', 'called'].includes(l.state) ? item.bring : [];
  return h(
    'section',
    { id: 'leg-' + l.id, className: 'leg ' + l.state },
    h('p', { className: 'state' }, states()[l.state] || l.state),
    there ? h('p', { className: 'goto' }, say(`${w.number} 号窗口`, `Window ${w.number}`)) : null,
    l.state === 'called' ? proofs(l) : null,
    h('h2', {}, item ? text(item.name) : ''),
    l.state === 'waiting' ? waiting(l) : null,
    l.state === 'skipped' ? h('p', {}, text(hall.missed)) : null,
    list.length ? h('div', {}, h('b', {}, say('请带好', 'Please bring')), h('ul', {}, list.map((b) => h('li', {}, text(b))))) : null,
  );
}

function draw() {
  document.documentElement.lang = lang === 'en' ? 'en' : 'zh-CN';
  $('banner').hidden = linked;
  show($('banner'), say('网络中断，正在重连…', 'Offline. Reconnecting…'));
  const tongue = h('button', { onclick: switchLanguage }, lang === 'zh' ? 'English' : '中文');
  show($('head'), h('b', {}, hall ? text(hall.name) : say('我的排队', 'My ticket')), tongue);
  if (fault) return show($('main'), h('section', { className: 'leg' }, h('h2', { role: 'alert' }, text(fault)), h('p', {}, say('请核对号票上的二维码，或到咨询台询问。', 'Please check the QR on your ticket, or ask at the desk.'))));
  if (!ticket) return;
  show(
    $('main'),
    h('section', { className: 'stub' }, h('p', { className: 'dim' }, say('您的号码', 'Your number')), h('p', { className: 'number' }, ticket.visit.number)),
    ticket.visit.legs.map(leg),
    h('p', { className: 'fine' }, say('自动更新 · ', 'Updates by itself · '), hms(ticket.at, hall.timezone)),
  );
}

async function refresh() {
  try {
    hall = hall || (await call('GET', '/hall', null, 1));
    ticket = await call('GET', '/tickets/' + encodeURIComponent(id), null, 1);
    linked = true;
    fault = null;
  } catch (p) {
    if (p.code === 'offline') linked = false;
    else fault = p.text;
  }
  draw();
}

function switchLanguage() {
  lang = lang === 'zh' ? 'en' : 'zh';
  draw();
}

const look = () => {
  if (!document.hidden) refresh();
};
refresh();
// Polling suits a phone in a pocket: it costs one request and survives sleep.
setInterval(look, 8000);
document.addEventListener('visibilitychange', look);
