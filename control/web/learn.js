"use strict";
// Songs by heart, and the chords of the bars to come: each can be touched and put right.

const LEARN_PADS = { learn: "LEARN", learn_again: "AGAIN", learn_forget: "FORGET", keep_song: "KEEP …", undo_chord: "UNDO CHORD" };
const LEARN_NEXT = { off: "LEARN", armed: "WAITS", taking: "END SECTION", round: "NEXT SECTION" };

function ask(question, answer) {  // null where nothing is meant
  const given = window.prompt(question, answer);
  return given === null ? null : given.trim().slice(0, 60);
}
by("learn_pads").replaceChildren(...Object.entries(LEARN_PADS).map(([name, text]) => {
  const button = make("button", text, { type: "button", id: name });
  if (name === "keep_song") {
    button.onclick = () => { const called = ask("Name of the song", ""); if (called !== null) send({ do: name, name: called }); };
    return button;
  }
  const act = () => send({ do: name });
  button.addEventListener("pointerdown", (event) => { if (event.button === 0) act(); });  // on the press, not on its end
  button.addEventListener("click", (event) => { if (event.detail === 0) act(); });  // by keyboard
  return button;
}));

function plannedBar(text) {  // "5: Am . F ." with a button for each chord
  const [number, cells] = text.split(": "), bar = make("div", "", { class: "bar", "data-bar": number });
  (cells || "").split(" ").forEach((name, place) => {
    if (name === "." && place) return;
    const shown = name === "." ? "–" : name, button = make("button", shown, { type: "button", "aria-label": `chord ${shown} of bar ${number}, beat ${place + 1}` });
    button.onclick = () => {
      const chord = ask(`Bar ${number}, beat ${place + 1}`, name === "." ? "" : name);
      if (chord && chord !== name) send({ do: "chord", bar: Number(number), name: chord, beat: place + 1 });
    };
    bar.append(button);
  });
  return bar;
}

drawers.push((now) => {
  const shown = now.planned.join("|");
  if (by("planned").dataset.shown !== shown) {
    by("planned").dataset.shown = shown;
    by("planned").replaceChildren(...now.planned.map(plannedBar));
  }
  by("plan").hidden = !now.planned.length;
  put(by("planned_by"), { chart: "planned, by chart", ear: "planned, as foretold by ear" }[now.planned_by] || "");
  put(by("learn"), LEARN_NEXT[now.learning]);
  mark(by("learn"), "now", now.learning === "taking");
  mark(by("learn"), "next", now.learning === "armed");
  put(by("learn_text"), now.learning_words);
  for (const name of ["learn_again", "learn_forget", "keep_song"]) by(name).disabled = now.learning === "off";
});
