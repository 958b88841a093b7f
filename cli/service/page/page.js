// The server's page: sends a file to /jobs, waits for it, plays the result. Knows no sound.
"use strict";

const at = (id) => document.getElementById(id);
const POLL_MS = 400;
let job = null;
let address = null;

function say(line, wrong = false) {
  at("said").textContent = line;
  at("said").classList.toggle("wrong", wrong);
}

async function ask(path, options = {}) {
  const token = at("token").value;
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch(path, { ...options, headers });
  if (answer.ok) return answer;
  if (answer.status === 401) at("locked").hidden = false;
  let line = `${answer.status}`;
  try {
    line = (await answer.json()).error;
  } catch {
    // no line of ours: the number has to do
  }
  throw new Error(line);
}

async function presets() {
  const list = await (await ask("presets")).json();
  at("preset").replaceChildren(
    ...list.map(({ name, title }) => new Option(title, name, name === "rock", name === "rock"))
  );
}

function busy(is) {
  at("go").disabled = is;
  at("stop").hidden = at("progress").hidden = !is;
}

async function ready(id) {
  for (;;) {
    const { state, done_s: done, total_s: total, left_s: left, error } = await (await ask(`jobs/${id}`)).json();
    if (state === "done") return;
    if (state !== "waiting" && state !== "working") throw new Error(error || state);
    if (total) Object.assign(at("progress"), { max: total, value: done });
    say(state === "waiting" ? "Waiting for a place ..." : `Playing ...${left ? ` ${Math.ceil(left)} s left` : ""}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function play(event) {
  event.preventDefault();
  const form = new FormData();
  form.set("parts", [...document.querySelectorAll("[name=part]:checked")].map((box) => box.value).join(","));
  form.set("mix", at("mix").checked);
  if (at("preset").value) form.set("preset", at("preset").value);
  if (at("chart").value.trim()) form.set("chart", at("chart").value);
  form.set("request", at("request").files[0]);
  busy(true);
  at("progress").removeAttribute("value");
  at("result").hidden = true;
  say("Sending ...");
  let id = null;
  try {
    if (!at("preset").options.length) await presets();
    id = job = (await (await ask("jobs", { method: "POST", body: form })).json()).id;
    await ready(id);
    const sound = await (await ask(`jobs/${id}/result`)).blob();
    if (address) URL.revokeObjectURL(address);
    address = URL.createObjectURL(sound);
    at("audio").src = at("save").href = address;
    at("result").hidden = false;
    say("Done.");
  } catch (error) {
    if (job === null && id !== null) say("Cancelled.");
    else say(error.message, true);
  } finally {
    if (job !== null) ask(`jobs/${job}`, { method: "DELETE" }).catch(() => {});
    job = null;
    busy(false);
  }
}

function stop() {
  const id = job;
  job = null;
  if (id !== null) ask(`jobs/${id}`, { method: "DELETE" }).catch(() => {});
}

at("form").addEventListener("submit", play);
at("stop").addEventListener("click", stop);
presets().catch((error) => say(error.message, true));
