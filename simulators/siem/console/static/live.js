// Follows what comes: asks for newer rows of a table every two seconds, until nobody is there any more.
"use strict";

const EVERY = 2000;
const NOBODY_AFTER = 14 * 60 * 1000; // shorter than a session that nobody uses lasts, so that this keeps none alive
const MOST_ROWS = 100;

let lastUse = Date.now();
for (const kind of ["pointerdown", "keydown", "wheel", "touchstart"]) {
  addEventListener(kind, () => { lastUse = Date.now(); }, { passive: true });
}

for (const table of document.querySelectorAll("table[data-live]")) {
  follow(table);
}

function follow(table) {
  const rows = table.tBodies[0];
  const button = document.getElementById(table.dataset.button);
  const status = document.getElementById(table.dataset.status);
  let place = table.dataset.place;
  let paused = false;
  let asking = false;

  button.hidden = false;
  button.addEventListener("click", () => pause(!paused, paused ? "Following." : "Paused."));
  say("Following.");
  setInterval(ask, EVERY);

  function pause(whether, told) {
    paused = whether;
    button.textContent = paused ? "Follow" : "Pause";
    button.setAttribute("aria-pressed", String(paused));
    say(told);
  }

  function say(told) {
    if (status.textContent !== told) { status.textContent = told; }
  }

  async function ask() {
    if (paused || asking || document.hidden) { return; }
    if (Date.now() - lastUse > NOBODY_AFTER) {
      pause(true, "Paused, since nobody has done anything for a while.");
      return;
    }
    asking = true;
    try {
      const answer = await fetch(`${table.dataset.live}?after=${encodeURIComponent(place)}`, { redirect: "error" });
      if (answer.status === 401 || answer.status === 403) {
        pause(true, "You are no longer signed in. Load the page again.");
        return;
      }
      if (!answer.ok) { say("The repository does not answer. It is asked again."); return; }
      const next = answer.headers.get("X-Place");
      const text = await answer.text();
      if (text.trim() === "" || !next) { say("Following."); return; }
      place = next;
      show(text);
    } catch {
      say("The console does not answer. It is asked again.");
    } finally {
      asking = false;
    }
  }

  function show(text) {
    const holder = document.createElement("template");
    holder.innerHTML = `<table><tbody>${text}</tbody></table>`; // rows of the console's own, escaped there; scripts in them never run
    const fresh = [...holder.content.querySelectorAll("tr")];
    for (const row of rows.querySelectorAll("tr.fresh, tr.none")) {
      if (row.classList.contains("none")) { row.remove(); } else { row.classList.remove("fresh"); }
    }
    for (const row of fresh.reverse()) {
      row.classList.add("fresh");
      rows.prepend(row);
    }
    while (rows.rows.length > MOST_ROWS) { rows.lastElementChild.remove(); }
    say(`${fresh.length} new.`);
  }
}
