// Keys for the reading pages, which work without them. `?` lists them.
"use strict";
(() => {
  const PLACES = ".hunk, .card, .log > li, .hits > li, .rows > li";
  const TOP = 84; // pixels that the heading of a comparison covers

  function step(by) {
    const places = [...document.querySelectorAll(PLACES)].filter((place) => place.offsetParent);
    if (!places.length) return;
    const tops = places.map((place) => place.getBoundingClientRect().top);
    let next = places.findIndex((place) => place.contains(document.activeElement)) + by;
    if (next - by < 0) {
      // Nothing has the focus: from what is on the screen
      next = by < 0 ? tops.filter((top) => top < TOP - 4).length - 1 : tops.findIndex((top) => top > TOP + 4);
      if (by > 0 && next < 0) next = places.length - 1;
    }
    const place = places[Math.min(Math.max(next, 0), places.length - 1)];
    place.scrollIntoView({ block: "start" });
    (place.matches(".hunk") ? place : place.querySelector("a")).focus({ preventScroll: true });
  }

  const help = document.getElementById("keys");
  const acts = {
    n: () => step(1),
    p: () => step(-1),
    "/": () => document.getElementById("q").focus(),
    "?": () => help.showModal(),
    "؟": () => help.showModal(),
  };

  function find(key) {
    const link = /^[a-z]$/.test(key) && document.querySelector(`[data-key="${key}"]`);
    return acts[key] || (link && (() => link.click()));
  }

  for (const hunk of document.querySelectorAll(".hunk")) hunk.tabIndex = -1;
  document.getElementById("keys-hint").hidden = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea, dialog")) return;
    // Also by the place of the key: on an Arabic keyboard the key N writes another letter
    const act = find(event.key) || (event.code.startsWith("Key") && find(event.code.slice(3).toLowerCase()));
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
