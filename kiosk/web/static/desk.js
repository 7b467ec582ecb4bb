'use strict';
// What the console shows. Each part is a function of me, state, parked and found.

const field = (label, input) => h('label', {}, h('span', {}, label), input);

function options(name, list, chosen) {
  return h(
    'select',
    { name },
    list.map(([value, label]) => h('option', { value, ...(value === chosen ? { selected: true } : {}) }, label)),
  );
}

const queueName = (q) => `${q.prefix} ${text(q.name)}`;
const itemName = (id) => text((hall.items.find((i) => i.id === id) || {}).name);
const className = (id) => text((hall.classes.find((c) => c.id === id) || {}).name) || id;

// ask opens a dialog; done hears the fields.
function ask(title, fields, done, label) {
  const close = () => $('dialog').close();
  const form = h(
    'form',
    {
      method: 'dialog',
      onsubmit: (e) => {
        e.preventDefault();
        close();
        done(Object.fromEntries(new FormData(e.target)), e.target);
      },
    },
    h('h2', {}, title),
    fields,
    h(
      'div',
      { className: 'row end' },
      h('button', { type: 'button', onclick: close }, say('返回', 'Back')),
      h('button', { className: 'main' }, label || say('确定', 'OK')),
    ),
  );
  $('dialog').replaceChildren(form); // a fresh form: nothing typed before is left in it
  $('dialog').showModal();
}

const reason = (required) => field(say('原因', 'Reason'), h('input', { name: 'reason', required, maxLength: 200 }));

function askTransfer() {
  const queues = [['', say('原队列', 'same queue')], ...hall.queues.map((q) => [q.id, queueName(q)])];
  const places = [
    ['keep', say('保持原到达时间', 'keep the arrival time')],
    ['front', say('排到队首', 'front')],
    ['end', say('排到队尾', 'end')],
  ];
  ask(
    say('转移到其他队列或窗口', 'Transfer'),
    [
      field(say('队列', 'Queue'), options('queue', queues)),
      picker('to', say('窗口', 'Window'), null, say('任意窗口', 'any window')),
      field(say('位置', 'Position'), options('position', places)),
      reason(false),
    ],
    (f) => act('transfer', trim({ ...f, to: (windowOf(f.to) || {}).id })),
    say('转移', 'Transfer'),
  );
}

function askPause() {
  const value = say('暂停服务，请稍候', 'Closed for a moment');
  const notice = h('input', { name: 'notice', maxLength: 80, value });
  ask(
    say('暂停本窗口', 'Pause this window'),
    field(say('对外显示的文字', 'Text shown to the public'), notice),
    (f) => pauseDesk(f.notice),
    say('暂停', 'Pause'),
  );
}

function askCancel(visit, number) {
  ask(
    say(`取消 ${number} 号`, `Cancel ${number}`),
    [h('p', { className: 'dim' }, say('取消后该号作废，不能再呼叫。', 'The ticket becomes void and cannot be called again.')), reason(true)],
    (f) => actParked('cancel', visit, f),
    say('取消此号', 'Cancel the ticket'),
  );
}

const askGrant = (v) =>
  ask(
    say(`给予 ${v.number} 号优先`, `Priority for ${v.number}`),
    [field(say('类别', 'Class'), options('class', hall.classes.map((c) => [c.id, text(c.name)]), v.claimed)), reason(true)],
    (f) => run(`/visits/${v.id}/grant`, f),
  );

const askReprint = (v) =>
  ask(say(`补打 ${v.number} 号票`, `Copy of ${v.number}`), reason(true), (f) => run(`/visits/${v.id}/reprint`, f), say('补打', 'Print'));

// askQueues lets the clerk choose what the window serves; the hall's ranking stays,
// queues beyond it are served last.
function askQueues() {
  const now = new Set(mine().groups.flat());
  const own = new Set(win().groups.flat());
  const box = (q) =>
    h(
      'label',
      { className: 'check' },
      h('input', { type: 'checkbox', name: q.id, ...(now.has(q.id) ? { checked: true } : {}) }),
      h('span', {}, queueName(q)),
    );
  const list = (keep) => h('div', { className: 'checks' }, hall.queues.filter(keep).map(box));
  const others = hall.queues.some((q) => !own.has(q.id));
  ask(
    say('选择本窗口受理的队列', 'Queues of this window'),
    [
      list((q) => own.has(q.id)),
      others
        ? h('details', { open: [...now].some((q) => !own.has(q)) }, h('summary', {}, say('其他队列', 'Other queues')), list((q) => !own.has(q.id)))
        : null,
    ],
    (_, form) => chosen(hall.queues.map((q) => q.id).filter((id) => form.elements[id] && form.elements[id].checked)),
    mine().desk === 'open' ? say('确定', 'OK') : say('开放窗口', 'Open the window'),
  );
}

function chosen(ids) {
  if (!ids.length) {
    note = { zh: '请至少选择一个队列', en: 'Choose at least one queue' };
    return draw();
  }
  const groups = win().groups.map((g) => g.filter((q) => ids.includes(q))).filter((g) => g.length);
  const rest = ids.filter((q) => !groups.flat().includes(q));
  return openDesk(rest.length ? [...groups, rest] : groups);
}

// keys is the table of what can be done now.
function keys(w) {
  const s = w.current ? w.current.state : '';
  const open = w.desk === 'open';
  const here = s === 'called' || s === 'serving';
  const left = hall.recall_limit - ((w.current || {}).recalls || 0);
  const recall = say('重呼', 'Recall') + (s === 'called' ? say(`（剩 ${left} 次）`, ` (${left} left)`) : '');
  const key = (key, label, can, go, look) => ({ key, label, can, go, look });
  return [
    key('F2', say('下一位', 'Next'), open && !s, () => act('next'), 'main'),
    key('F3', recall, s === 'called' && left > 0, () => act('recall')),
    key('F4', say('开始办理', 'Start'), s === 'called', () => act('start'), s === 'called' ? 'main' : ''),
    key('F6', say('办结', 'Done'), here, () => act('done'), s === 'serving' ? 'main' : ''),
    key('F7', say('过号', 'Skip'), s === 'called', () => act('skip')),
    key('F8', say('挂起', 'Hold'), here, () => act('hold')),
    key('F9', say('转移', 'Transfer'), here, askTransfer),
    key('F10', say('取消此号', 'Cancel'), s === 'called', () => askCancel(w.current.visit, w.current.number)),
  ];
}

// since tells how long something has lasted by the hall's clock, which this
// computer's may not agree with.
function since(time) {
  const now = Date.parse(me.now) + (clock() - heard) * 1000;
  const s = Math.max(0, Math.round((now - Date.parse(time)) / 1000));
  const two = (n) => String(n).padStart(2, '0');
  return `${two(Math.floor(s / 60))}:${two(s % 60)}`;
}

const clockOf = (t) => hms(t, hall.timezone);

// contender tells in one clause how a ticket stood when the call was decided.
function contender(c) {
  if (!c.credit_s) return say(`${c.number} ${clockOf(c.arrival)} 取号`, `${c.number} arrived ${clockOf(c.arrival)}`);
  const m = Math.round(c.credit_s / 60);
  return say(
    `${c.number} ${clockOf(c.arrival)} 取号，${className(c.class)}优先 ${m} 分钟，按 ${clockOf(c.virtual)} 排队`,
    `${c.number} arrived ${clockOf(c.arrival)}, ${className(c.class)} credit ${m} min, counts as ${clockOf(c.virtual)}`,
  );
}

// whyCalled tells the reason of a call in the clerk's language.
function whyCalled(c) {
  const w = c.why;
  const states = { held: say('挂起', 'held'), skipped: say('过号', 'skipped'), waiting: say('等候', 'waiting'), called: say('已叫号', 'called') };
  switch (w && w.rule) {
    case 'named':
      return w.was === 'called'
        ? say(`第 ${c.recall} 次重呼`, `Recall ${c.recall}`)
        : say(`由 ${w.by} 指定呼叫（原为${states[w.was]}）`, `Called by ${w.by}; was ${states[w.was]}`);
    case 'only':
      return contender(w.chosen) + say('，排在最前', ', first in line');
    case 'run':
      return say(
        `已连续优先 ${w.run} 位，${w.passed.number} 让一位普通号；${contender(w.chosen)}`,
        `${w.run} priority calls in a row: ${w.passed.number} waits for one ordinary call. ${contender(w.chosen)}`,
      );
    case 'earlier':
      return say(`${contender(w.chosen)}；早于 ${contender(w.passed)}`, `${contender(w.chosen)}; before ${contender(w.passed)}`);
  }
  return c.reason || '';
}

function surfaceName(s) {
  const [kind, name] = s.split(':');
  const kinds = { strip: say('窗口屏', 'Strip'), wall: say('大屏', 'Wall'), voice: say('语音', 'Voice'), board: say('显示屏', 'Board') };
  return `${kinds[kind] || kind} ${name || ''}`;
}

function delivery(d) {
  if (d.at)
    return h('li', { className: 'ok' }, `✓ ${surfaceName(d.surface)} `, h('small', {}, say('已送达 ', 'shown '), clockOf(d.at)));
  if (!d.fault)
    return h('li', { className: 'sending' }, `… ${surfaceName(d.surface)} `, h('small', {}, say('未送达，正在发送', 'not shown yet, sending')));
  return h('li', { className: 'bad' }, `✗ ${surfaceName(d.surface)} `, h('small', {}, say('未送达：', 'not shown: ') + d.fault));
}

function nobody(w) {
  if (w.desk === 'open') {
    const waiting = waits(w).reduce((n, x) => n + x.waiting, 0);
    return h(
      'section',
      { id: 'now', className: 'now empty' },
      h('p', { className: 'big' }, waiting ? say('窗口空闲', 'The window is free') : say('当前无人等候', 'Nobody is waiting')),
      h('p', { className: 'dim' }, waiting ? say('按“下一位”呼叫', 'Call the next visit') : say('有人取号后此处会自动更新', 'This page follows by itself')),
    );
  }
  const paused = w.desk === 'paused';
  const again = () => (paused ? openDesk(w.groups) : askQueues());
  return h(
    'section',
    { id: 'now', className: 'now empty' },
    h('p', { className: 'big' }, paused ? say('窗口暂停中', 'The window is paused') : say('窗口未开放', 'The window is closed')),
    h('p', { className: 'dim' }, paused ? say('对外显示：', 'Shown: ') + (w.notice || '—') : say('开放后才能叫号', 'Open it to call')),
    h('button', { className: 'main large', disabled: busy, onclick: again }, paused ? say('恢复服务', 'Resume') : say('开放窗口', 'Open the window')),
  );
}

function current(w) {
  const l = w.current;
  if (!l) return nobody(w);
  const c = w.call;
  const item = hall.items.find((i) => i.id === l.item);
  const names = { called: say('已叫号', 'Called'), serving: say('办理中', 'Serving') };
  return h(
    'section',
    { id: 'now', className: 'now' },
    h(
      'div',
      { className: 'ticket ' + l.state },
      h('p', { className: 'state' }, names[l.state] || l.state),
      h('div', { className: 'number' }, l.number),
      h('p', { className: 'timer' }, since(l.since)),
    ),
    h(
      'div',
      { className: 'what' },
      h('p', { className: 'big' }, item ? text(item.name) : l.item),
      l.class ? h('p', {}, h('mark', {}, say('优先 ', 'Priority ') + className(l.class))) : null,
      h('p', { className: 'dim' }, say(`取号 ${clockOf(l.arrival)}`, `Taken ${clockOf(l.arrival)}`)),
      c ? h('p', { id: 'why', className: 'dim' }, say('叫号依据：', 'Why: ') + whyCalled(c)) : null,
      c ? h('ul', { className: 'shown' }, (c.delivery || []).map(delivery)) : null,
      item && item.bring.length
        ? h('div', { className: 'papers' }, h('p', { className: 'dim' }, say('应带材料', 'To bring')), h('ul', {}, item.bring.map((b) => h('li', {}, text(b)))))
        : null,
    ),
  );
}

function waits(w) {
  const ids = new Set((w.groups || []).flat());
  const one = (q) => ({ q, waiting: 0, ...(state.queues.find((x) => x.queue === q.id) || {}) });
  return hall.queues.filter((q) => ids.has(q.id)).map(one);
}

function waitingList(w) {
  const row = (x) =>
    h(
      'tr',
      {},
      h('td', {}, h('b', { className: 'prefix' }, x.q.prefix), text(x.q.name)),
      h('td', {}, x.estimate_ns && x.waiting ? h('small', {}, say(`约 ${minutes(x.estimate_ns)} 分`, `${minutes(x.estimate_ns)} min`)) : ''),
      h('td', {}, h('b', {}, String(x.waiting)), say(' 人', '')),
    );
  return h('section', { id: 'waiting' }, h('h2', {}, say('等候', 'Waiting')), h('table', {}, waits(w).map(row)));
}

function parkedRow(w, l) {
  const free = w.desk === 'open' && !w.current && !busy;
  const held = l.state === 'held';
  const b = (label, can, go) => h('button', { disabled: !can, onclick: go }, label);
  return h(
    'tr',
    { id: 'leg-' + l.id },
    h('td', {}, h('b', {}, l.number), ' ', h('span', { className: 'tag ' + l.state }, held ? say('挂起', 'held') : say('过号', 'skipped'))),
    h(
      'td',
      { className: 'row end' },
      b(held ? say('取回', 'Take back') : say('呼叫', 'Call'), free, () => actParked('call', l.visit)),
      held ? b(say('办结', 'Done'), !busy, () => actParked('done', l.visit)) : b(say('重新排队', 'Requeue'), !busy, () => actParked('requeue', l.visit)),
      b(say('取消', 'Cancel'), !busy, () => askCancel(l.visit, l.number)),
    ),
  );
}

function parkedList(w) {
  const none = h('p', { className: 'dim' }, say('无', 'None'));
  const rows = parked.map((l) => parkedRow(w, l));
  return h('section', { id: 'parked' }, h('h2', {}, say('挂起与过号', 'Held and skipped')), rows.length ? h('table', {}, rows) : none);
}

const stateNames = () => ({
  waiting: say('等候', 'waiting'),
  called: say('已叫号', 'called'),
  serving: say('办理中', 'serving'),
  served: say('已办结', 'served'),
  held: say('挂起', 'held'),
  skipped: say('过号', 'skipped'),
  cancelled: say('已取消', 'cancelled'),
  expired: say('已失效', 'expired'),
});

function foundTicket(w) {
  const free = w.desk === 'open' && !w.current && !busy;
  const open = found.legs.some((l) => ['waiting', 'held', 'skipped'].includes(l.state));
  const leg = (l) => h('p', {}, itemName(l.item), ' ', h('span', { className: 'tag ' + l.state }, stateNames()[l.state] || l.state));
  const b = (label, can, go) => h('button', { disabled: !can, onclick: go }, label);
  return h(
    'div',
    { id: 'found' },
    h('p', { className: 'big' }, found.number, found.class ? h('mark', {}, className(found.class)) : ''),
    found.claimed ? h('p', {}, h('mark', {}, say('申请优先：', 'Claims priority: ') + className(found.claimed))) : null,
    found.legs.map(leg),
    h(
      'div',
      { className: 'row' },
      b(say('呼叫', 'Call'), free && open, () => actParked('call', found.id)),
      b(say('优先', 'Priority'), open && !busy, () => askGrant(found)),
      b(say('补打', 'Reprint'), !busy, () => askReprint(found)),
      b(say('取消', 'Cancel'), open && !busy, () => askCancel(found.id, found.number)),
    ),
  );
}

function finder(w) {
  const input = { name: 'number', placeholder: 'A012', maxLength: 16, required: true, 'aria-label': say('号码', 'Number') };
  return h(
    'section',
    { id: 'finder' },
    h('h2', {}, say('查号', 'Find a ticket')),
    h('form', { className: 'row', onsubmit: find }, h('input', input), h('button', {}, say('查找', 'Find'))),
    found ? foundTicket(w) : null,
  );
}

function headline(w) {
  const tongue = h('button', { onclick: switchLanguage }, lang === 'zh' ? 'English' : '中文');
  if (!w) return [h('b', {}, text(hall.name)), tongue];
  const desks = { open: say('开放', 'Open'), paused: say('暂停', 'Paused'), closed: say('未开放', 'Closed') };
  const open = w.desk === 'open';
  return [
    h('b', {}, say(`${win().number} 号窗口`, `Window ${win().number}`), h('span', { className: 'pill ' + w.desk }, desks[w.desk])),
    h('span', { className: 'who' }, me.user, ' · ', linked ? say('已连接', 'connected') : say('未连接', 'offline')),
    h('button', { disabled: busy || !state, onclick: askQueues }, say('选择队列', 'Queues')),
    h('button', { disabled: busy || !open, onclick: askPause }, say('暂停', 'Pause')),
    h('button', { disabled: busy || !!w.current || w.desk === 'closed', onclick: closeDesk }, say('关闭窗口', 'Close')),
    tongue,
    h('button', { disabled: busy, onclick: leave }, say('退出', 'Sign out')),
  ];
}

function desk(w) {
  const button = (k) => h('button', { className: k.look || '', disabled: busy || !k.can, onclick: k.go }, k.label, h('small', {}, k.key));
  const other = w.clerk && w.clerk !== me.user && w.desk !== 'closed';
  return h(
    'div',
    { id: 'desk', className: 'desk' },
    h(
      'div',
      { className: 'left' },
      other ? h('p', { className: 'notice' }, say(`此窗口由 ${w.clerk} 开放`, `This window was opened by ${w.clerk}`)) : null,
      current(w),
      h('p', { id: 'note', role: 'alert' }, text(note)),
      h('div', { id: 'keys', className: 'keys' }, keys(w).map(button)),
    ),
    h('aside', {}, waitingList(w), parkedList(w), finder(w)),
  );
}

function sign() {
  const last = hall.windows.find((w) => w.id === localStorage.getItem('window'));
  return h(
    'form',
    { id: 'sign', className: 'sign', onsubmit: signIn },
    h('h1', {}, say('窗口叫号', 'Clerk console')),
    field(say('用户名', 'User'), h('input', { name: 'user', required: true, maxLength: 64, autocomplete: 'username' })),
    field(say('密码', 'Password'), h('input', { name: 'secret', type: 'password', required: true, maxLength: 128, autocomplete: 'current-password' })),
    picker('window', say('窗口', 'Window'), last),
    h('button', { className: 'main', disabled: busy }, say('登录', 'Sign in')),
    h('p', { id: 'note', role: 'alert' }, text(note)),
  );
}

function draw() {
  if (!hall) return;
  document.documentElement.lang = lang === 'en' ? 'en' : 'zh-CN';
  document.title = say('窗口叫号', 'Clerk console');
  $('banner').hidden = linked || !me;
  show($('banner'), say('网络中断，正在重连…叫号暂不可用', 'The connection is lost. Reconnecting…'));
  const w = me && me.window ? mine() : null;
  show($('head'), headline(w));
  if (!w) show($('main'), sign());
  else if (!state) show($('main'), h('p', { className: 'sign' }, say('正在连接…', 'Connecting…')));
  else show($('main'), desk(w));
}
