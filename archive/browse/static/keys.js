// Keys for the reading pages, which work without them. `?` lists them.
"use strict";
(() => {
  const places = () => [...document.querySelectorAll(".hunk, .log > li, .hits > li, .card, .rows > li")].filter((one) => one.offsetParent);
  let at = -1;

  function step(by) {
    const found = places();
    if (!found.length) return;
    if (at < 0) at = found.findIndex((one) => `#${one.id}` === location.hash);
    at = Math.min(Math.max(at + by, 0), found.length - 1);
    const place = found[at];
    place.scrollIntoView({ block: "start" });
    const link = place.matches(".hunk") ? null : place.querySelector("a.act, a");
    (link || place).focus({ preventScroll: true });
  }

  const keys = {
    n: () => step(1),
    p: () => step(-1),
    "/": () => document.getElementById("q")?.focus(),
    "?": () => document.getElementById("keys").showModal(),
  };

  for (const hunk of document.querySelectorAll(".hunk")) hunk.tabIndex = -1;
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, select, textarea, dialog");
    if (isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
    // By the place of the key too: on an Arabic keyboard N types ى
    const letter = event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : "";
    const link = [event.key, letter].map((key) => key && document.querySelector(`[data-key="${CSS.escape(key)}"]`)).find(Boolean);
    const act = keys[event.key] || keys[letter] || (link && (() => link.click())) || (event.key === "؟" && keys["?"]);
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
