'use strict';
// The touch page: what is on the screen (at), what the hall says (now), and the
// way of one ticket. The screens themselves are in screens.js.
const kiosk = decodeURIComponent(location.pathname.split('/')[2]);
const resultFor = 15; // seconds that a result stays
let hall; // the catalogue
let now = null; // the latest state
let linked = false;
let lang = 'zh';
let elder = false;
let busy = false; // a ticket is being asked for
let seen = null; // the outcome from card or button that was shown last
let noted = { at: '', since: 0 }; // the reader's latest sentence and when it came
let touched = clock();
let at = home();

function home() {
  return { screen: 'departments', page: 0 };
}

const say = (zh, en) => (lang === 'en' ? en : zh);
const text = (t) => pick(t, lang);
const queue = (id) => (now && now.queues.find((q) => q.queue === id)) || { waiting: 0, estimate_ns: 0 };

function go(to) {
  at = { page: 0, ...to };
  draw();
}

function when(time) {
  if (!time) return say('请咨询工作人员', 'Please ask the staff');
  const [date, hour] = time.split(' ');
  const [, month, day] = date.split('-').map(Number);
  if (date === now.now.slice(0, 10)) return say(`今天 ${hour} 开放`, `Opens today at ${hour}`);
  return say(`${month}月${day}日 ${hour} 开放`, `Opens on ${date} at ${hour}`);
}

// noteFresh says whether the reader's sentence is still worth showing.
const noteFresh = () => clock() - noted.since < 12;

// stay is how many seconds of quiet the present screen lasts.
const stay = () => (at.screen === 'result' || at.screen === 'refused' ? Math.min(resultFor, hall.privacy_s) : hall.privacy_s);

// why says in one sentence why no ticket can be taken, or ''.
function why(item) {
  if (!now) return say('正在连接，请稍候', 'Connecting, please wait');
  if (item && item.id in now.closed)
    return say('该事项现在不取号。', 'No tickets for this now. ') + when(now.closed[item.id]);
  if (!now.open && !(item && item.own_hours))
    return say('现在不在取号时间。', 'Tickets are not given now. ') + when(now.next);
  if (!now.touch.printer_ready)
    return (
      text(now.touch.printer_text) ||
      say('打印机暂不可用，请到其他取号机', 'The printer is not ready. Please use another kiosk.')
    );
  return '';
}

// take asks for the ticket; the answer belongs to the screen that asked.
async function take() {
  if (busy) return;
  const mine = at;
  const card = now && now.touch.card;
  const wish = { kiosk, item: mine.item.id };
  if (mine.cls) wish.class = mine.cls;
  if (card) wish.card = card.token;
  mine.refused = null;
  busy = true;
  draw();
  try {
    const issued = await call('POST', '/tickets', wish);
    busy = false;
    result({ screen: 'result', issued });
  } catch (p) {
    busy = false;
    mine.refused = p.text;
    touched = clock();
    draw();
  }
}

function result(to) {
  touched = clock();
  go(to);
}

// reset forgets the person: screen, language, letter size.
function reset() {
  at = home();
  lang = 'zh';
  elder = false;
  dress();
  draw();
}

function dress() {
  document.documentElement.lang = lang === 'en' ? 'en' : 'zh-CN';
  document.documentElement.classList.toggle('elder', elder);
}

function switchLanguage() {
  lang = lang === 'zh' ? 'en' : 'zh';
  dress();
  draw();
}

function switchLetters() {
  elder = !elder;
  at.page = 0;
  dress();
  draw();
}

// fresh says whether nobody has begun anything.
const fresh = () => at.screen === 'departments' && !at.page && lang === 'zh' && !elder;

// forget clears the screen when the person has gone.
function forget() {
  if (!hall || busy) return;
  if (!fresh() && clock() - touched > stay()) reset();
  else draw();
  doze();
}

// doze dims a screen before which nobody stands, as far as a sensor sees; the
// sensor and a touch wake it.
function doze() {
  const alone = now && now.touch.person === false;
  document.body.classList.toggle('asleep', Boolean(alone && fresh() && clock() - touched > stay()));
}

// sensed follows the sensor: who has left, and has not just touched, is forgotten
// at once.
function sensed(before, is) {
  if (before === true && is === false && !busy && clock() - touched > 3) reset();
}

// banner is what everyone before the machine must know.
function banner() {
  if (!linked)
    return [
      say('网络中断，正在自动恢复，请稍候', 'The connection is lost. It will come back by itself.'),
      h(
        'small',
        {},
        say(
          'The connection is lost and will come back by itself. · 如急需取号，请到咨询台',
          '网络中断，正在自动恢复，请稍候 · In a hurry? Please ask at the desk.',
        ),
      ),
    ];
  const no = why(null);
  return no && at.screen !== 'result' && at.screen !== 'confirm' ? [no] : null;
}

function draw() {
  const news = banner();
  $('banner').hidden = !news;
  show($('banner'), news || []);
  if (!hall) return;
  show($('head'), headline());
  show($('main'), screens[at.screen]());
  show($('foot'), footline());
}

// onState takes the whole state; an outcome from card or button is shown once.
function onState(s) {
  const last = s.touch.last;
  const first = now === null;
  const note = s.touch.note;
  if (note && note.at !== noted.at) noted = { at: note.at, since: clock() };
  const person = now && now.touch.person;
  now = s;
  sensed(person, s.touch.person);
  doze();
  if (last && last.at !== seen) {
    seen = last.at;
    if (!first) {
      result(
        last.issued
          ? { screen: 'result', issued: last.issued }
          : { screen: 'refused', text: last.refusal.text },
      );
      return;
    }
  }
  draw();
}

function onLink(ok) {
  if (ok === linked) return;
  linked = ok;
  draw();
}

async function begin() {
  while (!hall) {
    try {
      hall = await call('GET', '/hall', null, 1);
    } catch {
      draw();
      await pause(2000);
    }
  }
  draw();
}

for (const sign of ['pointerdown', 'keydown']) {
  addEventListener(sign, () => {
    touched = clock();
    doze();
  });
}
addEventListener('contextmenu', (e) => e.preventDefault());
setInterval(forget, 1000);
const link = follow(`/kiosk/${encodeURIComponent(kiosk)}/events`, onState, onLink);
// A page that something else covers does not listen: whoever watches over the browser hears of it.
document.addEventListener('visibilitychange', () => (document.hidden ? link.close() : link.reopen()));
begin();
