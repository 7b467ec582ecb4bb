'use strict';
// A field for a window. A big hall has hundreds: who types a part of a number or a
// name sees below what fits, and a number alone is enough. All state is in the
// document, because a page that is drawn again keeps its fields.

const nameIn = (w, l) => [l === 'en' ? `Window ${w.number}` : `${w.number} 号窗口`, pick(w.name, l)].filter(Boolean).join(' ');
const windowName = (w) => nameIn(w, lang);
const namesOf = (w) => [nameIn(w, 'zh'), nameIn(w, 'en')].map((n) => n.toLowerCase());

// fitting returns the windows that every word typed belongs to: all of them for a
// field that holds a choice already.
function fitting(typed) {
  const t = typed.trim().toLowerCase();
  if (hall.windows.some((w) => namesOf(w).includes(t))) return hall.windows;
  const fits = (w, word) => (/^\d+$/.test(word) ? String(w.number).startsWith(word) : namesOf(w).join(' ').includes(word));
  return hall.windows.filter((w) => t.split(/\s+/).every((word) => fits(w, word)));
}

// windowOf returns the one window that is meant, if it is clear.
function windowOf(typed) {
  const t = typed.trim().toLowerCase();
  const exact = hall.windows.find((w) => String(w.number) === t || namesOf(w).includes(t));
  const fit = exact || !t ? [] : fitting(t);
  return exact || (fit.length === 1 ? fit[0] : undefined);
}

function listBelow(input) {
  closeList(input);
  const windows = fitting(input.value);
  const row = (w, i) => h('li', { id: 'option-' + i, role: 'option', onclick: () => choose(input, w) }, windowName(w));
  const none = h('li', { className: 'dim' }, say('没有相符的窗口', 'No window fits'));
  const hold = (e) => e.preventDefault(); // the field keeps the focus
  const list = h('ul', { id: 'options', role: 'listbox', onmousedown: hold }, windows.length ? windows.map(row) : none);
  const room = innerHeight - input.getBoundingClientRect().bottom - 20;
  list.style.maxHeight = Math.max(120, Math.min(room, 320)) + 'px';
  input.closest('.picker').append(list);
  input.setAttribute('aria-expanded', 'true');
}

// listAll shows the list with the present choice marked.
function listAll(input) {
  listBelow(input);
  const now = fitting(input.value).indexOf(windowOf(input.value));
  if (now >= 0) point(input, now);
}

function closeList(input) {
  if ($('options')) $('options').remove();
  input.setAttribute('aria-expanded', 'false');
  input.removeAttribute('aria-activedescendant');
}

// point marks the option that Enter takes.
function point(input, i) {
  const options = [...document.querySelectorAll('#options [role=option]')];
  if (!options.length) return;
  const one = options[(i + options.length) % options.length];
  options.forEach((o) => o.setAttribute('aria-selected', String(o === one)));
  input.setAttribute('aria-activedescendant', one.id);
  one.scrollIntoView({ block: 'nearest' });
}

function choose(input, w) {
  input.value = windowName(w);
  closeList(input);
  judge(input);
}

// judge has the browser refuse a form with a window that does not exist.
function judge(input) {
  const typed = input.required ? input.value : input.value.trim(); // blanks do not fill a field that must be filled
  const wrong = typed && !windowOf(typed);
  input.setCustomValidity(wrong ? say('没有这个窗口，请输入窗口号或从列表中选择', 'No such window: type its number, or choose from the list') : '');
}

function pickerKey(e) {
  if (e.isComposing) return; // the keys are those of a Chinese input method
  const input = e.target;
  const list = $('options');
  const at = list ? [...list.children].findIndex((o) => o.getAttribute('aria-selected') === 'true') : -1;
  const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
  if (step && !list) listAll(input);
  else if (step) point(input, at < 0 && step < 0 ? -1 : at + step);
  else if (e.key === 'Enter' && at >= 0) list.children[at].click();
  else if (e.key !== 'Escape' || !list) return;
  else closeList(input);
  e.preventDefault();
}

// picker is the field; placeholder says what an empty one means, unless it must
// be filled.
function picker(name, label, chosen, placeholder) {
  const input = h('input', {
    name,
    value: chosen ? windowName(chosen) : '',
    placeholder: placeholder || say('窗口号或名称', 'Number or name'),
    required: !placeholder,
    maxLength: 100,
    autocomplete: 'off',
    role: 'combobox',
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
    'aria-controls': 'options',
  });
  Object.assign(input, {
    onfocus: (e) => e.target.select(),
    onclick: (e) => (e.target.select(), listAll(e.target)),
    oninput: (e) => (listBelow(e.target), judge(e.target)),
    onblur: (e) => closeList(e.target),
    onkeydown: pickerKey,
  });
  return h('div', { className: 'picker' }, field(label, input));
}
