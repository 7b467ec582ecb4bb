// The page asks for a drawing after each change and shows the last answer only.
"use strict";
const $ = (id) => document.getElementById(id);
let turn = 0;

function fill(id, list) {
  for (const c of list || []) {
    const o = document.createElement("option");
    o.value = c.id;
    o.textContent = c.name;
    $(id).append(o);
  }
}

// shrink makes a picture small enough to send: no printer has more dots.
const MOST = 384;
let logo = "";
function shrink(file) {
  const reader = new FileReader(), img = new Image();
  reader.onload = () => { img.src = reader.result; };
  img.onload = () => {
    const k = Math.min(1, MOST / img.naturalWidth, MOST / img.naturalHeight), c = document.createElement("canvas");
    c.width = Math.max(1, Math.round(img.naturalWidth * k));
    c.height = Math.max(1, Math.round(img.naturalHeight * k));
    const g = c.getContext("2d");
    g.fillStyle = "#fff";
    g.fillRect(0, 0, c.width, c.height);
    g.drawImage(img, 0, 0, c.width, c.height);
    logo = c.toDataURL("image/jpeg", 0.9).split(",")[1];
    $("store").hidden = false;
    if (!/^logo$/m.test($("template").value)) $("template").value = "logo\n" + $("template").value;
    draw();
  };
  img.onerror = () => $("errors").replaceChildren(Object.assign(document.createElement("li"), { textContent: "不是图片 not a picture: PNG, JPEG" }));
  reader.readAsDataURL(file);
}

async function store() {
  const r = await fetch("logo", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ profile: $("profile").value, logo }) });
  if (!r.ok) return;
  const a = document.createElement("a"), url = URL.createObjectURL(await r.blob());
  a.href = url;
  a.download = "logo.bin";
  a.click();
  URL.revokeObjectURL(url);
}

async function draw() {
  const mine = ++turn;
  $("paper").classList.add("old");
  let d;
  try {
    const r = await fetch("draw", {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ template: $("template").value, profile: $("profile").value, item: $("item").value, class: $("class").value, copy: $("copy").checked, logo }),
    });
    d = await r.json();
  } catch {
    d = { errors: ["没有连接 no connection"] };
  }
  if (mine !== turn) return;
  $("errors").replaceChildren(...(d.errors || []).map((e) => Object.assign(document.createElement("li"), { textContent: e })));
  if (!d.png) return;
  $("dots").src = "data:image/png;base64," + d.png;
  $("paper").classList.remove("old");
  const missing = d.missing ? " · 没有字形 no glyph: " + d.missing.join(" ") : "";
  $("facts").textContent = `${d.rows} 点行 rows · ${d.bytes} 字节 bytes · ${d.wire.toFixed(2)} s${missing}`;
}

let waiting;
function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(draw, 150);
}

async function start() {
  const c = await (await fetch("choices")).json();
  fill("sample", c.samples);
  fill("profile", c.profiles);
  fill("item", c.items);
  fill("class", c.classes);
  $("values").textContent = c.values.map((v) => v.name).join(" ");
  $("profile").value = "generic80";
  $("template").value = c.samples[0].text;
  $("sample").onchange = () => { $("template").value = c.samples.find((s) => s.id === $("sample").value).text; draw(); };
  for (const id of ["profile", "item", "class", "copy"]) $(id).onchange = draw;
  $("template").oninput = soon;
  $("picture").onchange = () => $("picture").files[0] && shrink($("picture").files[0]);
  $("store").onclick = store;
  draw();
}
start();
