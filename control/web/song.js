"use strict";
// The song and the set: notes and words beside the chords, the order of the evening, and a next that waits for the end.

listers.push((all) => {
  const song = all.song || {};
  put(by("song_notes"), song.notes || "");
  by("words_box").hidden = !(song.notes || song.lyrics);
  const verses = [];  // a line [NAME] begins the words of a section
  for (const line of (song.lyrics || "").split("\n")) {
    const name = /^\s*\[([^\]]+)\]\s*$/.exec(line);
    if (name) verses.push({ name: name[1].trim(), lines: [] });
    else if (verses.length) verses[verses.length - 1].lines.push(line);
    else verses.push({ name: "", lines: [line] });
  }
  by("lyrics").replaceChildren(...verses.map((verse) => {
    const block = make("div", "", { "data-section": verse.name.toLowerCase() });
    if (verse.name) block.append(make("small", verse.name));
    block.append(make("p", verse.lines.join("\n").replace(/^\n+|\n+$/g, "")));
    return block;
  }));
  const songs = (all.songs || []).length;
  [...by("songs").children].forEach((item, place) => {
    const number = place + 1;
    for (const [text, to, what] of [["▲", number - 1, "up"], ["▼", number + 1, "down"]]) {
      const button = make("button", text, { type: "button", "data-order": what, "aria-label": `song ${number} ${what}` });
      button.disabled = to < 1 || to > songs;
      button.onclick = () => send({ do: "move_song", number, to });
      item.append(button);
    }
  });
});

let sungSection = "";
drawers.push((now) => {
  by("next_at_end").hidden = !now.songs;
  mark(by("next_at_end"), "next", now.next_at_end);
  const section = now.section.toLowerCase(), turned = section !== sungSection;
  sungSection = section;
  for (const block of by("lyrics").children) {
    const sung = Boolean(section) && block.dataset.section === section;
    if (sung && turned && by("words_box").open) by("lyrics").scrollTop = block.offsetTop - by("lyrics").offsetTop;
    mark(block, "sung", sung);
  }
});
by("next_at_end").onclick = () => send({ do: "next_at_end" });
