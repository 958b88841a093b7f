"use strict";
// The moves: hit, break, build, feels, solo. Each button says what it is doing: coming (with the beats until then) or on.

const MOVE_NAMES = {
  hit: "HIT", break: "BREAK", build: "BUILD", half_time_feel: "½-TIME FEEL", double_time_feel: "2×-TIME FEEL", solo: "SOLO",
};
const MOVE_WORDS = { half_time_feel: "half-time feel", double_time_feel: "double-time feel" };

by("moves").replaceChildren(...Object.entries(MOVE_NAMES).map(([name, text]) => {
  const button = make("button", text, { type: "button", "data-move": name });
  const act = () => send({ do: name });
  button.addEventListener("pointerdown", (event) => { if (event.button === 0) act(); });  // on the press, not on its end
  button.addEventListener("click", (event) => { if (event.detail === 0) act(); });  // by keyboard
  return button;
}));

drawers.push((now) => {
  const coming = now.pending.split(", ");
  for (const button of by("moves").children) {
    const name = button.dataset.move;
    mark(button, "now", now.moves.includes(name));
    mark(button, "next", coming.includes(MOVE_WORDS[name] || name));
  }
  const beats = Math.ceil(now.pending_beats);
  put(by("pending"), now.pending && `next: ${now.pending}${beats > 0 ? ` in ${beats}` : ""}`);
});
