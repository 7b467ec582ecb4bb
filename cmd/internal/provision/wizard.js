// The page shows itself anew when the wizard stands elsewhere; where somebody types it
// stays, and brings the keys that the box has not.
"use strict";
const $ = (s) => document.querySelector(s);
const here = document.body.dataset;

// The browser was sent to an address of the daemon, which answers there when the
// wizard has ended.
if (!["/", "/hand", "/by"].includes(location.pathname)) sessionStorage.home = location.pathname + location.search;

// One look after the other, and none behind a page that goes: a second reload would take
// the next page away under a finger. What a touch has sent brings its own page.
let touched = -Infinity;
async function look() {
  try {
    const r = await fetch("/state");
    if (!r.ok) return setTimeout(() => location.assign(sessionStorage.home ?? "/"), here.phase === "done" ? 10_000 : 0); // time to read
    if ((await r.text()) !== here.key && here.phase !== "naming" && performance.now() - touched > 5000) return location.reload();
  } catch {
    // The wizard has ended, and the daemon does not answer yet: the last page stays.
  }
  setTimeout(look, pace);
}
const pace = here.phase === "accepting" ? 300 : 1000;

let step = 0, field = null;
const steps = [...document.querySelectorAll("#hand section")];

function go(n) {
  if (n < 0) return location.assign("/");
  step = n;
  steps.forEach((s, i) => (s.hidden = i !== n));
  $('[data-step="1"]').hidden = n === steps.length - 1;
  $("#begin").hidden = n !== steps.length - 1;
  const first = [...steps[n].querySelectorAll('input[type="text"]')].find((e) => e.offsetParent);
  $("#keys").hidden = !first;
  field = first ?? null;
  first?.focus();
}

function fixed() {
  $("#fixed").hidden = $('[name="cable"]:checked').value !== "fixed";
  go(step);
}

function type(key) {
  if (!field) return;
  const [a, b] = [field.selectionStart, field.selectionEnd];
  if (key === "⌫") field.setRangeText("", a === b ? Math.max(0, a - 1) : a, b, "end");
  else if (field.value.length - (b - a) < field.maxLength) field.setRangeText(key, a, b, "end");
  field.focus();
}

function keyboard() {
  for (const row of ["1234567890", "qwertyuiop", "asdfghjkl-", "zxcvbnm.:/", " ⌫"]) {
    const line = document.createElement("div");
    for (const key of row) {
      const b = document.createElement("button");
      b.type = "button";
      b.dataset.key = key;
      b.textContent = key === " " ? "空格 space" : key === "⌫" ? "⌫ 删除 delete" : key;
      b.onpointerdown = (e) => e.preventDefault(); // the field keeps the focus
      b.onclick = () => type(key);
      line.append(b);
    }
    $("#keys").append(line);
  }
}

if (here.phase === "typing") {
  keyboard();
  for (const e of document.querySelectorAll('#hand input[type="text"]')) {
    e.onfocus = () => {
      field = e;
      e.setSelectionRange(e.value.length, e.value.length);
    };
  }
  for (const e of document.querySelectorAll('[name="cable"]')) e.onchange = fixed;
  for (const b of document.querySelectorAll("[data-step]")) b.onclick = () => go(step + Number(b.dataset.step));
  $("#hand").onkeydown = (e) => {
    if (e.key === "Enter") e.preventDefault();
  };
  step = Number($("#hand").dataset.first);
  fixed();
  setInterval(() => fetch("/state").catch(() => {}), pace); // somebody is here; what is typed stays
} else {
  setTimeout(look, pace);
}
if (here.phase === "naming") {
  keyboard();
  field = $('[name="by"]');
  $("#keys").hidden = false;
  field.focus();
}
// A second touch while the first is being answered is none.
for (const f of document.forms) {
  f.addEventListener("submit", (e) => {
    if (f.dataset.sent) return e.preventDefault();
    f.dataset.sent = "1";
    touched = performance.now();
  });
}
