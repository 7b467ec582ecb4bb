// The page asks every two seconds how the printers stand.
"use strict";
const list = document.getElementById("list"), cut = document.getElementById("cut"), one = document.querySelector("template");
const cards = new Map();

function card(name) {
  if (!cards.has(name)) {
    const c = one.content.firstElementChild.cloneNode(true);
    c.querySelector("h2").textContent = name;
    list.append(c);
    cards.set(name, c);
  }
  return cards.get(name);
}

function show(p) {
  const c = card(p.name), b = c.querySelector("button");
  c.className = p.paused ? "paused" : p.well ? "well" : "ill";
  c.querySelectorAll(".clerk").forEach((e, i) => (e.textContent = i ? p.clerk.en : p.clerk.zh));
  c.querySelectorAll(".detail").forEach((e, i) => {
    e.textContent = i ? p.technician.en : p.technician.zh;
    e.hidden = p.ready;
  });
  const at = new Date(p.since).toLocaleTimeString("zh-CN", { hour12: false });
  c.querySelector(".since").textContent = `自 ${at} since` + (p.busy ? " · 正在打印 printing" : "");
  b.textContent = p.paused ? "恢复打印 Resume" : "暂停 Pause";
  b.onclick = () => ask(`${encodeURIComponent(p.name)}/${p.paused ? "resume" : "pause"}`, "POST");
}

let turn = 0;
async function ask(path, method) {
  const mine = ++turn;
  try {
    const r = await fetch(path, { method });
    if (!r.ok) throw new Error(r.status);
    const all = await r.json();
    if (mine !== turn) return;
    all.forEach(show);
    cut.hidden = true;
  } catch {
    cut.hidden = false;
  }
}
ask("state", "GET");
setInterval(() => ask("state", "GET"), 2000);
