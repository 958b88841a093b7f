"use strict";
// The remote: shows the snapshots that come, sends commands by the names that pedals and OSC have. Text from the band is
// only ever set as text. Nothing is kept for later: a command given while disconnected is not sent afterwards.

const STALE_MS = 3000, RETRY_MS = [300, 700, 1500, 3000], SLIDE_EVERY_MS = 80, HELD_MS = 1200, FLOOR_DB = -48, OFF_DB = -40;
const by = (id) => document.getElementById(id);
const body = document.body;
let socket = null, tries = 0, retry = 0, seenAt = 0, refused = false, status = null, parts = [], lists = {};
const drawers = [], listers = [];  // what other scripts show of each status, and of the lists

// ------------------------------------------------------------------------------------------------------ connection
function token() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  try {
    if (given) localStorage.setItem("gigmate-token", given);
    return given || localStorage.getItem("gigmate-token") || "";
  } catch { return given || ""; }
}

function connect() {
  clearTimeout(retry);
  refused = false;
  seenAt = performance.now();
  const ours = socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  ours.onopen = () => ours.send(JSON.stringify({ do: "hello", token: token() }));
  ours.onmessage = (event) => { if (ours === socket) take(JSON.parse(event.data)); };
  ours.onclose = (event) => { if (ours === socket) lost(event.code); };
}

const ENDED = 1001;  // the server's goodbye when the program ends; what is tried after it finds nobody
let ended = false;
function lost(code) {
  socket = null;
  ended = ended || code === ENDED;
  by("ask").hidden = code !== 4401;
  refused = code === 4401;
  show(refused ? "wrong" : "down", refused
    ? "The token is wrong or missing: the band plays on, but this remote cannot control it"
    : ended ? "The band has ended. This remote is back as soon as it is started again"
    : "NOT CONNECTED: the band plays on, but this remote has no effect. Reconnecting …");
  if (!refused) retry = setTimeout(connect, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
}

function show(link, text) {
  if (body.dataset.link !== link) body.dataset.link = link;
  put(by("link"), text);
}

function send(message) {
  if (body.dataset.link === "up" && socket && socket.readyState === 1) socket.send(JSON.stringify({ ...message, seen: status.number }));
}

setInterval(() => {  // a connection that is dead without saying so
  if (socket && performance.now() - seenAt > STALE_MS) { const dead = socket; lost(0); dead.close(); }
}, 500);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && !socket && !refused) connect();
  if (!document.hidden) stayAwake();
});
async function stayAwake() {  // where the browser allows it: only over https and on this machine
  try { await navigator.wakeLock.request("screen"); } catch { /* the phone's own setting decides */ }
}

// -------------------------------------------------------------------------------------------------------- messages
function take(message) {
  seenAt = performance.now();
  if (message.type === "status") { status = message; tries = 0; ended = false; show("up", ""); draw(); }
  else if (message.type === "hello") { parts = message.parts; lists = message; by("ask").hidden = true; build(); }
  else if (message.type === "lists") { lists = message; buildLists(); if (status) draw(); }
  else if (message.type === "error") warn(message.error);
}

let said = "", saidUntil = 0;
function warn(text) { said = text; saidUntil = performance.now() + 6000; if (status) draw(); }

// ---------------------------------------------------------------------------------------------------------- drawing
function put(element, text) { if (element.textContent !== text) element.textContent = text; }
function mark(element, name, on) { if (element.classList.contains(name) !== on) element.classList.toggle(name, on); }
function make(tag, text, attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
const decibels = (level) => level <= -100 ? "–" : `${Math.round(level)} dB`;
function meter(element, level) {
  const share = Math.min(1, Math.max(0, 1 - level / FLOOR_DB));
  element.style.transform = `scaleX(${share.toFixed(3)})`;
  mark(element, "hot", level > -1);
  mark(element, "warm", level > -6 && level <= -1);
}

function build() {
  by("parts").replaceChildren(...parts.map((name, place) => {
    const row = make("div", "", { class: "part", "data-part": name });
    const mute = make("button", name, { type: "button", "aria-pressed": "false", "aria-label": `mute ${name}` });
    mute.onclick = () => send({ do: "mute", part: name, muted: !(status && status.muted[place]) });
    const slide = make("div", "", { class: "slide" });
    const level = make("input", "", { type: "range", min: OFF_DB, max: 6, step: 1, value: 0, "aria-label": `level of ${name}` });
    slider(level, (value) => send({ do: "level", part: name, value: value <= OFF_DB ? "off" : value }));
    const bar = make("div", "", { class: "meter" });
    bar.append(make("i", ""));
    const sound = make("button", "–", { type: "button", class: "sound", "aria-label": `next sound of ${name}` });
    sound.onclick = () => send({ do: "next_sound", part: name });
    slide.append(level, bar, sound, make("small", "", { class: "outputs" }));
    row.append(mute, slide, make("output", "–"));
    return row;
  }));
  by("mix").replaceChildren(...parts.flatMap((part, place) => Object.entries(MIX).map(([what, low]) => mixRow(part, place, what, low))));
  buildLists();
}

const MIX = { pan: -1, room: 0 };  // what is changed here of each part, and its low end; the high one is 1
function mixRow(part, place, what, low) {
  const row = make("label", "", { class: "row", "data-mix": what, "data-place": place });
  const range = make("input", "", { type: "range", min: low, max: 1, step: .05, value: 0, "aria-label": `${what} of ${part}` });
  slider(range, (value) => send({ do: what, part, value }));
  row.append(make("span", `${part} ${what}`), range, make("output", "–"));
  return row;
}
function drawMix(now) {
  for (const row of by("mix").children) {
    const range = row.querySelector("input"), what = row.dataset.mix;
    if (!held(range)) range.value = now[`${what}s`][row.dataset.place];
    const value = Number(range.value), side = value < 0 ? "left" : "right";
    put(row.querySelector("output"), what === "pan" ? (value ? `${Math.round(100 * Math.abs(value))} ${side}` : "middle") : `${Math.round(100 * value)} %`);
  }
}

function buildLists() {
  by("songs").replaceChildren(...(lists.songs || []).map((song, place) => entry(
    `${place + 1}. ${song.title}`, [song.preset, song.key, song.tempo_bpm && `${song.tempo_bpm} bpm`], { do: "song", number: place + 1 })));
  by("presets").replaceChildren(...(lists.presets || []).map((preset) => entry(
    preset.title || preset.name, [preset.description], { do: "preset", name: preset.name })));
  by("sections").replaceChildren(...(lists.sections || []).map((name) => {
    const button = make("button", name, { type: "button" });
    button.onclick = () => send({ do: "section", name });
    return button;
  }));
  by("set").hidden = !(lists.songs || []).length;
  by("sections").hidden = !(lists.sections || []).length;
  for (const lister of listers) lister(lists);
}

function entry(title, more, message) {
  const item = document.createElement("li"), button = make("button", title, { type: "button" });
  const rest = more.filter(Boolean).join(" · ");
  if (rest) button.append(make("small", rest));
  button.onclick = () => send(message);
  item.append(button);
  return item;
}

function draw() {
  const now = status;
  if (body.dataset.mood !== now.mood) body.dataset.mood = now.mood;
  put(by("words"), now.words);
  put(by("go"), now.on ? "STOP" : "START");
  mark(by("go"), "on", now.on);
  put(by("bar"), now.beat ? `bar ${now.bar}.${now.beat}` : "no beat yet");
  put(by("tempo"), now.tempo_bpm > 0 ? `${now.tempo_bpm.toFixed(1)} bpm` : "");
  put(by("source"), now.time_source ? `by ${now.time_source.replace("_", " ").replace("listener", "ear")}` : "");
  put(by("chord"), now.chord || "–");
  put(by("chord_played"), now.chord_played || "–");
  for (const name of ["chord", "chord_played"]) mark(by(name), "long", by(name).textContent.length > 5);
  put(by("chord_source"), now.chord_source && `by ${now.chord_source}`);
  put(by("hand"), now.hand || "off: the chart leads, else what is heard");
  mark(by("by_hand"), "now", Boolean(now.hand));
  mark(by("latch"), "now", now.hand.startsWith("latched"));
  mark(by("split"), "next", now.hand.startsWith("press"));
  put(by("tuning"), now.tuning_hz && Math.round(now.tuning_hz) !== 440 ? `A ${Math.round(now.tuning_hz)} Hz` : "");
  put(by("title"), now.song || now.preset || "–");
  put(by("subtitle"), [now.songs ? `${now.song_number} of ${now.songs}` : "", now.song && now.preset, now.section && `section ${now.section}`,
    now.next_section && `then ${now.next_section}`, now.recording && "recording", now.midi_out && "notes out"].filter(Boolean).join(" · "));
  drawWarnings(now);
  drawParts(now);
  if (!held(by("density"))) by("density").value = now.density;
  drawBandLevel(now);
  drawMix(now);
  put(by("density_text"), `${Math.round(100 * now.density)} %`);
  by("channels").hidden = now.input_channels.length < 2;
  put(by("channels_text"), now.input_channels.map((channel, place) => `${channel}: ${decibels(now.channel_db[place])}`).join("   "));
  for (const side of ["input", "output"]) { meter(by(`${side}_meter`), now[`${side}_db`]); put(by(`${side}_text`), decibels(now[`${side}_db`])); }
  [...by("songs").children].forEach((item, place) => mark(item.firstChild, "now", place + 1 === now.song_number));
  (lists.presets || []).forEach((preset, place) => mark(by("presets").children[place].firstChild, "now", now.preset === preset.title || now.preset === preset.name));
  [...by("sections").children].forEach((button) => {
    mark(button, "now", button.textContent === now.section);
    mark(button, "next", button.textContent === now.next_section);
  });
  put(by("figures"), `model ${now.step_ms.toFixed(0)} of ${now.frame_ms.toFixed(0)} ms · ${now.misses} misses · ${now.xruns} xruns`);
  mark(by("figures"), "bad", now.step_ms > now.frame_ms);
  drawBeats(now);
  for (const drawer of drawers) drawer(now);
}

const warnedAt = new Map();
function drawWarnings(now) {  // each for a minute, then it is found in the list below
  const at = performance.now();
  for (const line of now.warnings) if (!warnedAt.has(line)) warnedAt.set(line, at);
  const lines = now.warnings.filter((line) => at - warnedAt.get(line) < 60000).slice(-3);
  if (at < saidUntil) lines.push(said);
  fill(by("warnings"), lines);
  fill(by("warned"), now.warnings);
  by("warned_box").hidden = !now.warnings.length;
}
function fill(box, lines) {
  const all = lines.join("\n");
  if (box.dataset.shown === all) return;
  box.dataset.shown = all;
  box.replaceChildren(...lines.map((line) => make("li", line)));
}

function drawParts(now) {
  [...by("parts").children].forEach((row, place) => {
    const level = row.querySelector("input"), gain = now.levels_db[place];
    row.querySelector("button").setAttribute("aria-pressed", String(now.muted[place]));
    if (!held(level)) level.value = Math.max(OFF_DB, gain);
    put(row.querySelector("output"), gained(Number(level.value)));
    put(row.querySelector(".sound"), now.sounds[place]);
    put(row.querySelector(".outputs"), now.outputs.some((one) => one !== now.outputs[0]) ? `out ${now.outputs[place]}` : "");
    meter(row.querySelector("i"), now.part_db[place]);
  });
}

const gained = (level) => level <= OFF_DB ? "off" : `${level > 0 ? "+" : ""}${Math.round(level)} dB`;
function drawBandLevel(now) {
  const level = by("band_level");
  if (!held(level)) level.value = Math.max(OFF_DB, now.band_level_db);
  put(by("band_level_text"), gained(Number(level.value)));
}

function drawBeats(now) {
  const lights = by("beats"), count = Math.min(12, Math.max(1, now.beats_per_bar));
  if (lights.children.length !== count) lights.replaceChildren(...Array.from({ length: count }, () => document.createElement("i")));
  [...lights.children].forEach((light, place) => mark(light, "now", place + 1 === now.beat));
}
(function glow() {  // between snapshots the light fades by the tempo, so that it does not jump
  if (status && status.beat && status.tempo_bpm > 0) {
    const phase = status.beat_phase + (performance.now() - seenAt) / 60000 * status.tempo_bpm;
    by("beats").style.setProperty("--glow", Math.max(.25, 1 - phase).toFixed(2));
  }
  requestAnimationFrame(glow);
})();

// ---------------------------------------------------------------------------------------------------------- touching
function held(element) { return performance.now() - (element.heldAt || -1e9) < HELD_MS; }
function slider(element, tell) {  // at most so often while it moves, and always its last place
  let waits = 0;
  element.addEventListener("input", () => {
    element.heldAt = performance.now();
    if (!waits) waits = setTimeout(() => { waits = 0; tell(Number(element.value)); }, SLIDE_EVERY_MS);
    if (status) { drawParts(status); drawBandLevel(status); drawMix(status); }
  });
}
slider(by("density"), (value) => send({ do: "density", value }));
slider(by("band_level"), (value) => send({ do: "band_level", value: value <= OFF_DB ? "off" : value }));

const ACTS = {
  go: () => send({ do: status && status.on ? "stop" : "start" }),
  next: () => send({ do: status && status.songs ? "next_song" : "next_preset" }),
  previous: () => send({ do: status && status.songs ? "previous_song" : "previous_preset" }),
};
for (const button of document.querySelectorAll("[data-do]")) {
  const act = ACTS[button.dataset.do] || (() => send({ do: button.dataset.do }));
  if (["go", "panic", "tap", "this_is_one"].includes(button.dataset.do)) {  // on the press, not on its end
    button.addEventListener("pointerdown", (event) => { if (event.button === 0) act(); });
    button.addEventListener("click", (event) => { if (event.detail === 0) act(); });  // by keyboard
  } else {
    button.addEventListener("click", act);
  }
}
document.addEventListener("keydown", (event) => {  // a key that is held presses its button once
  if (event.repeat && event.target instanceof HTMLButtonElement) event.preventDefault();
});
by("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  try { localStorage.setItem("gigmate-token", by("token").value.trim()); } catch { /* kept in the address then */ }
  location.hash = `token=${encodeURIComponent(by("token").value.trim())}`;
  connect();
});
window.addEventListener("hashchange", () => { if (refused) connect(); });
connect();
stayAwake();
