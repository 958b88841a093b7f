"use strict";
// The looper: its one button, what was just played, take by take, and its level. What it is doing stands on the button.

const LOOP_PADS = {
  loop: "LOOP", loop_keep: "KEEP 4 BARS", loop_stop: "STOP", loop_undo: "UNDO", loop_redo: "REDO", loop_half: "½", loop_double: "2×",
  loop_mute: "MUTE", hear_loop: "BAND HEARS IT", loop_clear: "CLEAR",
};
const LOOP_NEXT = { "": "RECORD", armed: "WAITS", recording: "PLAY", playing: "OVERDUB", overdubbing: "PLAY", stopped: "PLAY" };

by("loop_pads").replaceChildren(...Object.entries(LOOP_PADS).map(([name, text]) => {
  const button = make("button", text, { type: "button", id: name });
  const act = () => send({ do: name });
  button.addEventListener("pointerdown", (event) => { if (event.button === 0) act(); });  // on the press, not on its end
  button.addEventListener("click", (event) => { if (event.detail === 0) act(); });  // by keyboard
  return button;
}));
slider(by("loop_level"), (value) => send({ do: "loop_level", value: value <= OFF_DB ? "off" : value }));

drawers.push((now) => {
  const words = [now.loop, now.loop_bars && `${now.loop_bars} bars`, now.loop_takes > 1 && `${now.loop_takes} takes`,
    { tempo: "waits for its tempo", line: "on the next bar line" }[now.loop_waits]];
  put(by("loop_text"), words.filter(Boolean).join(", "));
  put(by("loop"), LOOP_NEXT[now.loop] || "LOOP");
  mark(by("loop"), "now", ["recording", "overdubbing"].includes(now.loop));
  mark(by("loop_mute"), "now", now.loop_muted);
  mark(by("hear_loop"), "now", now.loop_heard);
  by("loop_meter").style.width = `${Math.round(100 * now.loop_place)}%`;
  const level = by("loop_level");
  if (!held(level)) level.value = Math.max(OFF_DB, now.loop_level_db);
  put(by("loop_level_text"), gained(Number(level.value)));
});
