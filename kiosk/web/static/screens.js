'use strict';
// The screens of the touch page. Each is a function of at, now and hall.

// shape says how a list of n is laid out: columns, cells on a page, and whether
// they are so few that each may be large.
function shape(kind, n) {
  const upright = innerHeight > innerWidth;
  const wide = innerWidth > innerHeight * 1.5;
  const little = Math.min(innerWidth, innerHeight) <= 600; // as the style sheet has it
  if (kind === 'departments' && n <= 6) return { columns: upright || n <= 3 ? 1 : 2, size: 6, few: true };
  if (kind === 'items' && n <= (little && !upright ? 3 : elder ? 5 : 6)) return { columns: 1, size: 6, few: true };
  const many = {
    departments: upright ? [3, 12] : wide ? [6, 6] : [4, 7],
    items: upright ? [2, 9] : [wide ? 3 : 2, 6],
    found: upright ? [2, 6] : [wide ? 3 : 2, 3],
  };
  const large = {
    departments: upright ? [2, 9] : [wide ? 4 : 3, 4],
    items: upright ? [1, 8] : [2, 4],
    found: upright ? [1, 5] : [2, 2],
  };
  const small = {
    departments: upright ? [2, 7] : [3, 3],
    items: upright ? [1, elder ? 6 : 7] : [2, 3],
    found: upright ? [1, elder ? 3 : 4] : [elder ? 2 : 3, 1],
  };
  const [columns, rows] = (little ? small : elder ? large : many)[kind];
  return { columns, size: columns * rows, few: false };
}

function headline() {
  const t = linked && now ? now.now : '';
  return [
    h('div', {}, h('h1', {}, text(hall.name)), h('p', {}, say('自助取号', 'Self-service tickets'))),
    t ? h('time', {}, t.slice(11, 16), h('small', {}, t.slice(0, 10))) : null,
    h(
      'button',
      { onclick: switchLetters, 'aria-pressed': String(elder) },
      elder ? say('标准字体', 'Normal text') : say('大字版', 'Large text'),
    ),
    h('button', { onclick: switchLanguage }, lang === 'zh' ? 'English' : '中文'),
  ];
}

function footline() {
  const t = linked && now && now.touch;
  const fine = say('打印机正常', 'Printer ready');
  const state = t ? text(t.printer_text) || (t.printer_ready ? fine : say('打印机暂不可用', 'Printer not ready')) : '';
  return [
    h('span', {}, say('取号机 ', 'Kiosk ') + kiosk),
    t ? h('b', { className: t.printer_ready ? '' : 'bad' }, '● ' + state) : null,
  ];
}

function steps(n) {
  const names = [say('选择部门', 'Department'), say('选择事项', 'Service'), say('确认取号', 'Confirm')];
  const one = (name, i) => h('li', { className: i < n ? 'on' : '' }, `${i + 1} ${name}`);
  return h('ol', { className: 'steps' }, names.map(one));
}

function turn(by) {
  at.page += by;
  draw();
}

// pages shows one page of a list and the way to the others.
function pages(list, kind, cell) {
  const s = shape(kind, list.length);
  const last = Math.max(0, Math.ceil(list.length / s.size) - 1);
  at.page = Math.min(at.page, last);
  const part = list.slice(at.page * s.size, (at.page + 1) * s.size);
  const id = `${kind}-${at.dep ? at.dep.id : ''}-${at.page}`;
  const pager = h(
    'div',
    { className: 'pager' },
    h('button', { disabled: !at.page, onclick: () => turn(-1) }, say('上一页', 'Back')),
    h('span', {}, `${at.page + 1} / ${last + 1}`),
    h('button', { disabled: at.page === last, onclick: () => turn(1) }, say('下一页', 'More')),
  );
  const looks = `grid ${kind} c${s.columns}${s.few ? ' few' : ''}`;
  return [h('div', { id, className: looks }, part.map((x) => cell(x, s.few))), last ? pager : null];
}

const backTo = (to) => h('button', { onclick: () => go(to) }, say('返回', 'Back'));
const toSearch = () => h('button', { onclick: () => go({ screen: 'search', q: '' }) }, say('搜索事项', 'Search'));
const warn = (s) => h('p', { className: 'warn', role: 'alert' }, s);
const long = (s, zh, en) => s.length > (lang === 'en' ? en : zh);

function bar(id, ...parts) {
  return h('div', { id: 'bar-' + id, className: 'bar' }, parts);
}

// A department's name has one line beside its badge where letters are large.
function cellButton(name, small, open, badge) {
  return h(
    'button',
    { className: 'cell' + (long(name, badge && elder ? 10 : 15, badge && elder ? 26 : 34) ? ' long' : ''), onclick: open },
    badge ? h('i', { 'aria-hidden': 'true' }, badge) : null,
    h('span', {}, h('b', {}, name), h('small', {}, small)),
  );
}

// badge is the character by which people know an office: 公 for 市公安局.
const badge = (name) => (name.replace(/^.{0,3}?[省市区县](?=.{2})/, '') || name).slice(0, 1);

function departmentCell(d, few) {
  const count = say(`${d.items} 个事项`, d.items === 1 ? '1 service' : `${d.items} services`);
  const items = few ? hall.items.filter((i) => i.department === d.id).slice(0, 4) : [];
  const small = [count, items.map((i) => h('em', {}, text(i.name)))];
  return cellButton(text(d.name), small, () => go({ screen: 'items', dep: d }), badge(d.name.zh));
}

function itemCell(i) {
  const q = queue(i.queue);
  const wait = q.estimate_ns ? say(` · 约 ${minutes(q.estimate_ns)} 分钟`, ` · ${minutes(q.estimate_ns)} min`) : '';
  const small = [
    say(`等候 ${q.waiting} 人`, `${q.waiting} waiting`) + wait,
    i.needs_card ? h('u', {}, say('需身份证', 'ID card')) : '',
  ];
  return cellButton(text(i.name), small, () => go({ screen: 'confirm', item: i, back: at }));
}

// matches says whether a service is found: its initials hold what was typed, or, in
// English, a word of its name begins with it. Those that begin with it come first.
const spoken = (i, q) => lang === 'en' && ` ${i.name.en || ''}`.toLowerCase().includes(` ${q}`);
const begins = (i, q) => i.initials.startsWith(q) || spoken(i, q);
const matches = (i, q) => i.initials.includes(q) || spoken(i, q);

function find(q) {
  const found = hall.items.filter((i) => q && matches(i, q));
  return [...found.filter((i) => begins(i, q)), ...found.filter((i) => !begins(i, q))];
}

const fact = (name, value) => h('p', {}, name, h('b', {}, value));

function facts(i, q) {
  const wait = say(`约 ${minutes(q.estimate_ns)} 分钟`, `about ${minutes(q.estimate_ns)} min`);
  return h(
    'div',
    { className: 'facts' },
    fact(say('等候人数', 'Waiting'), say(`${q.waiting} 人`, String(q.waiting))),
    fact(say('预计等候', 'Estimated wait'), q.waiting && q.estimate_ns ? wait : q.waiting ? '—' : say('无需等候', 'none')),
    i.promised
      ? fact(say('承诺时限', 'Promised within'), say(`${i.promised} 个工作日`, `${i.promised} working days`))
      : fact(say('办理方式', 'Type'), text(i.case_name)),
  );
}

function bring(i) {
  if (!i.bring.length) return null;
  const list = i.bring.map((b) => h('li', {}, text(b)));
  return h('div', { className: 'bring' }, h('h4', {}, say('请带好以下材料', 'Please bring')), h('ul', {}, list));
}

// claim lets the person say which priority class applies, once for all.
function claim(c) {
  const on = at.cls === c.id;
  const flip = () => {
    at.cls = on ? '' : c.id;
    draw();
  };
  return h(
    'button',
    { className: 'opt', 'aria-pressed': String(on), onclick: flip },
    h('i', { 'aria-hidden': 'true' }, on ? '✓' : ''),
    h(
      'span',
      {},
      h('b', {}, say('优先：', 'Priority: ') + text(c.name)),
      h('small', {}, on ? say('已选择', 'Selected') : say('如符合请点选', 'Touch if this is you')),
    ),
  );
}

// cardLine says what the reader knows or needs; on every screen but the last. Above
// a list it takes the place of the steps: the list keeps its rows.
function cardLine(i) {
  const card = now && now.touch.card;
  const note = now && now.touch.note;
  if (note && noteFresh()) return warn(text(note.text));
  if (card) {
    const next = i ? '' : say('，请选择事项', '. Please choose a service');
    return h('p', { className: 'good' }, say(`已读取身份证：${card.name}`, `Identity card: ${card.name}`) + next);
  }
  if (!i || !i.needs_card) return null;
  return warn(say('请将身份证放在读卡区', 'Please place your identity card on the reader'));
}

function put(q) {
  at.q = q.slice(0, 12);
  at.page = 0;
  draw();
}

function pad() {
  const key = (c) => h('button', { onclick: () => put(at.q + c.toLowerCase()) }, c);
  return h(
    'div',
    { id: 'pad', className: 'pad' },
    [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map(key),
    h('button', { className: 'wide', onclick: () => put(at.q.slice(0, -1)) }, say('删除', 'Delete')),
    h('button', { className: 'wide', onclick: () => put('') }, say('清空', 'Clear')),
  );
}

// takeOrWhy is the button, or in its place the sentence why there is none.
function takeOrWhy(i) {
  const no = why(i);
  if (no) return warn(no);
  if (i.needs_card && !now.touch.card) return null; // cardLine asks for it
  const label = busy ? say('正在取号…', 'One moment…') : say('取号', 'Take a ticket');
  return h('button', { id: 'take', className: 'main go', disabled: busy || !linked, onclick: take }, label);
}

// place tells where to wait: the zone of the queue.
function place(r) {
  const q = hall.queues.find((x) => x.id === (r.visit.legs || [{}])[0].queue);
  const zone = q && hall.zones.find((z) => z.id === q.zone);
  return zone ? text(zone.name) : '';
}

const screens = {
  departments() {
    const list = hall.departments.filter((d) => d.items);
    const title = h('h2', {}, say('请选择办事部门', 'Choose a department'));
    return [cardLine() || steps(1), bar('departments', title, toSearch()), pages(list, 'departments', departmentCell)];
  },

  items() {
    const list = hall.items.filter((i) => i.department === at.dep.id);
    const title = h('h2', {}, text(at.dep.name));
    return [cardLine() || steps(2), bar('items', backTo(home()), title, toSearch()), pages(list, 'items', itemCell)];
  },

  search() {
    const found = find(at.q);
    const hint = say(
      '输入拼音首字母，如“营业执照”输入 YYZZ',
      'Type letters of the English name, or pinyin initials',
    );
    const count = found.length ? say(`找到 ${found.length} 项`, `${found.length} found`) : '';
    const none = say('没有找到，请换几个字母或到咨询台', 'Nothing found. Try other letters, or ask at the desk.');
    return [
      bar('search', backTo(home()), h('div', { className: 'query' }, at.q ? at.q.toUpperCase() : h('span', {}, hint))),
      at.q ? h('p', { className: 'dim' }, count || none) : null,
      pages(found, 'found', itemCell),
      pad(),
    ];
  },

  confirm() {
    const i = at.item;
    const dep = hall.departments.find((d) => d.id === i.department);
    const classes = hall.classes.filter((c) => c.claim === 'self');
    const name = text(i.name);
    return [
      steps(3),
      bar('confirm', backTo(at.back), h('h2', {}, say('请确认', 'Please confirm'))),
      h(
        'div',
        { className: 'confirm' },
        h(
          'section',
          { id: 'item-' + i.id, className: 'sheet' },
          h('div', {}, h('p', { className: 'dim' }, dep ? text(dep.name) : ''), h('h3', { className: long(name, 30, 60) ? 'long' : '' }, name)),
          facts(i, queue(i.queue)),
          bring(i),
        ),
        h(
          'div',
          { className: 'side' },
          classes.length ? h('div', { className: 'opts' }, classes.map(claim)) : null,
          at.refused ? warn(text(at.refused)) : why(i) ? null : cardLine(i),
          takeOrWhy(i),
        ),
      ),
    ];
  },

  result() {
    const r = at.issued;
    const i = hall.items.find((x) => x.id === r.visit.item);
    const m = r.estimate_ns ? minutes(r.estimate_ns) : 0;
    const people = r.ahead === 1 ? '1 person' : `${r.ahead} people`;
    const ahead = r.ahead ? say(`${r.ahead} 人`, people) : say('您是下一位', 'You are next');
    const carded = r.visit.channel === 'card';
    const paper = carded
      ? say('请取走您的号票和身份证', 'Please take your ticket and your identity card')
      : say('请取走您的号票', 'Please take your ticket');
    const where = place(r);
    return [
      h(
        'div',
        { id: 'result', className: 'done', role: 'alert' },
        h('h2', {}, r.job ? paper : say('请记住您的号码', 'Please remember your number')),
        h(
          'div',
          { className: 'stub' },
          h('p', { className: 'what' }, i ? text(i.name) : say('您的号码', 'Your number')),
          h('div', { className: 'number' + (r.visit.number.length > 5 ? ' long' : '') }, r.visit.number),
          h(
            'div',
            { className: 'facts' },
            fact(say('前面还有', 'Ahead of you'), ahead),
            fact(say('预计等候', 'Estimated wait'), m ? say(`约 ${m} 分钟`, `about ${m} min`) : '—'),
            fact(say('等候区域', 'Wait in'), where || say('等候区', 'waiting area')),
          ),
          i ? bring(i) : null,
        ),
      ),
      finish(say('完成', 'Done')),
    ];
  },

  refused() {
    return [
      h(
        'div',
        { id: 'refused', className: 'done' },
        h('div', { className: 'stub refusal' }, h('p', { role: 'alert' }, text(at.text))),
      ),
      finish(say('返回首页', 'Back to the start')),
    ];
  },
};

// finish ends the screen of a result, which also ends by itself.
function finish(label) {
  const left = Math.max(0, Math.ceil(stay() - (clock() - touched)));
  const soon = h('small', {}, say(`${left} 秒后自动返回`, `returns in ${left} s`));
  return h('button', { id: 'finish', className: 'main go', onclick: reset }, label, soon);
}
