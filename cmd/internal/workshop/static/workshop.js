// Devices come as events, whole each time; everything else is asked for.
"use strict";
const $ = (s, e = document) => e.querySelector(s);
const words = {
  zh: { ready: "正常", ok: "本机程序正常", starting: "正在启动", failing: "自检失败", since: "自", cause: "原因：", remedy: "处理：", seen: "所见：", last: "最近的数据", opens: "打开次数", exchanges: "次交互", failures: "次失败", read: "收", written: "发", bytes: "字节", hangups: "次断开", stuck: "次写入受阻", echoes: "次回波不符", framing: "次帧错误", parity: "次校验错误", overruns: "次溢出", breaks: "次线路中断", hidden: "（不显示内容）", nothing: "还没有数据", busy: "请稍候……", bad: "故障", warn: "注意", attention: "个设备需要处理", lang: "English" },
  en: { ready: "ready", ok: "its program is well", starting: "starting", failing: "self-check failed", since: "since", cause: "Cause: ", remedy: "Remedy: ", seen: "Seen: ", last: "Last bytes", opens: "opens", exchanges: "exchanges", failures: "failures", read: "read", written: "written", bytes: "bytes", hangups: "hang-ups", stuck: "stuck writes", echoes: "wrong echoes", framing: "framing errors", parity: "parity errors", overruns: "overruns", breaks: "breaks", hidden: "(not shown)", nothing: "nothing yet", busy: "one moment …", bad: "fault", warn: "note", attention: "in need of attention", lang: "中文" },
};
let lang = localStorage.getItem("technician-lang") === "en" ? "en" : "zh";
let last = null;
const w = (k) => words[lang][k] ?? k;
const t = (text) => (text && (lang === "zh" ? text.zh || text.en : text.en || text.zh)) || "";
const time = (s) => new Date(s).toLocaleString("zh-CN", { hour12: false });

function put(e, s) {
  if (e.textContent !== s) e.textContent = s;
}

// One card for each device, kept between events, so that what is open stays open.
const cards = new Map();
function card(name) {
  if (!cards.has(name)) {
    const c = $("#device").content.firstElementChild.cloneNode(true);
    c.dataset.device = name;
    $("h2", c).append(document.createElement("span"), document.createElement("b"));
    cards.set(name, c);
  }
  return cards.get(name);
}

function showDevice(d) {
  const c = card(d.device), ready = d.state === "ready";
  c.className = d.level ?? "";
  put($("h2 span", c), t(d.called));
  put($("h2 b", c), w(d.level ?? "ready"));
  put($(".since", c), d.since.startsWith("0001") ? "" : `${w("since")} ${time(d.since)}`);
  put($(".name", c), t(d.name));
  put($(".cause", c), t(d.cause) && w("cause") + t(d.cause));
  put($(".remedy", c), t(d.remedy) && w("remedy") + t(d.remedy));
  put($(".raw", c), ready ? "" : d.state);
  tests(c, d);
  put($("summary", c), w("last"));
  $("details", c).hidden = !d.wire;
  if (d.wire) wire(c, d);
}

function wire(c, d) {
  const n = d.wire;
  const line = ["hangups", "stuck", "echoes", "framing", "parity", "overruns", "breaks"].filter((k) => n[k]).map((k) => ` · ${n[k]} ${w(k)}`);
  put($(".counts", c), `${w("opens")} ${n.opens} · ${n.exchanges} ${w("exchanges")} · ${n.failures} ${w("failures")} · ${w("read")} ${n.read} · ${w("written")} ${n.written} ${w("bytes")}${line.join("")}`);
  const lines = d.tail.map((p) => {
    const at = new Date(p.at), clock = at.toLocaleTimeString("zh-CN", { hour12: false });
    return `${clock}.${String(at.getMilliseconds()).padStart(3, "0")} ${p.out ? "→" : "←"} ${String(p.size).padStart(4)}  ${p.hex ? `${p.hex}  ${p.text}` : w("hidden")}`;
  });
  put($("pre", c), lines.reverse().join("\n") || w("nothing"));
}

function tests(c, d) {
  const acts = $(".acts", c);
  while (acts.children.length > d.tests.length) acts.lastChild.remove();
  d.tests.forEach((name, i) => {
    let b = acts.children[i];
    if (!b) {
      b = document.createElement("button");
      b.type = "button";
      b.onclick = () => test(c, d.device, i, b);
      acts.append(b);
    }
    put(b, t(name));
  });
}

async function ask(path, body) {
  const r = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body ?? {}) });
  return r;
}

async function test(c, device, n, b) {
  const out = $(".outcome", c);
  b.disabled = true;
  out.className = "outcome";
  out.textContent = w("busy");
  try {
    const r = await (await ask("test", { device, test: n })).json();
    out.textContent = t(r.text);
    out.classList.add(r.ok ? "ok" : "no");
  } catch (e) {
    out.textContent = String(e);
    out.classList.add("no");
  }
  b.disabled = false;
}

function show(s) {
  last = s;
  const bad = s.devices.filter((d) => d.state !== "ready").length;
  put($("#sum"), w(s.state) + (bad ? ` · ${bad} ${w("attention")}` : ""));
  const box = $("#devices");
  s.devices.forEach((d, i) => {
    showDevice(d);
    if (box.children[i] !== card(d.device)) box.insertBefore(card(d.device), box.children[i] ?? null);
  });
  while (box.children.length > s.devices.length) box.lastChild.remove();
}

let findings = null;
function showFindings() {
  if (!findings) return;
  put($("#result"), t(findings.sum));
  $("#found").replaceChildren(...findings.found.map((f) => {
    const c = $("#finding").content.firstElementChild.cloneNode(true);
    c.className = f.level;
    const b = document.createElement("b");
    b.textContent = w(f.level);
    $("h2", c).append(t(f.name), b);
    $(".on", c).textContent = f.called ? t(f.called) : "";
    $(".raw", c).textContent = f.said ? w("seen") + f.said : "";
    $(".cause", c).textContent = w("cause") + t(f.cause);
    $(".remedy", c).textContent = w("remedy") + t(f.remedy);
    return c;
  }));
}

$("#examine").onclick = async (e) => {
  const b = e.currentTarget;
  b.disabled = true;
  $("#result").textContent = w("busy");
  try {
    const r = await ask("examine"), said = await r.json();
    if (r.ok) {
      findings = said;
      showFindings();
    } else $("#result").textContent = t(said.text);
  } catch (err) {
    $("#result").textContent = String(err);
  }
  b.disabled = false;
};

$("#bundle").onclick = async () => {
  $("#result").textContent = w("busy");
  const r = await ask("bundle");
  if (!r.ok) {
    $("#result").textContent = t((await r.json()).text);
    return;
  }
  const a = document.createElement("a");
  a.href = URL.createObjectURL(await r.blob());
  a.download = /filename="([^"]+)"/.exec(r.headers.get("Content-Disposition"))?.[1] ?? "support.age";
  a.click();
  URL.revokeObjectURL(a.href);
  $("#result").textContent = a.download;
};

let inForce = [];
async function settings() {
  inForce = await (await fetch("settings")).json();
  showSettings();
}

function showSettings() {
  $("#settings tbody").replaceChildren(...inForce.map((s) => {
    const tr = document.createElement("tr");
    for (const x of [s.key, s.value, t(s.help)]) tr.append(Object.assign(document.createElement("td"), { textContent: x }));
    return tr;
  }));
}

for (const b of document.querySelectorAll("[role=tab]")) {
  b.onclick = () => {
    for (const o of document.querySelectorAll("[role=tab]")) {
      o.setAttribute("aria-selected", String(o === b));
      $("#" + o.dataset.tab).hidden = o !== b;
    }
    if (b.dataset.tab === "settings") settings();
  };
}

function speak() {
  document.body.className = lang;
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  $("#lang").textContent = w("lang");
  if (last) show(last);
  showFindings();
  showSettings();
}
$("#lang").onclick = () => {
  lang = lang === "zh" ? "en" : "zh";
  localStorage.setItem("technician-lang", lang);
  speak();
};
speak();

const source = new EventSource("events");
source.addEventListener("state", (e) => {
  $("#cut").hidden = true;
  show(JSON.parse(e.data));
});
source.onerror = () => ($("#cut").hidden = false);
