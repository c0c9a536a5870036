// The token view by touch and keyboard: what hovering tells is written beneath for the token that was chosen.
"use strict";

(() => {
  function choose(token) {
    const view = token.closest(".wb-tokens");
    const detail = view.querySelector(".wb-tok-detail");
    if (!detail) return;
    view.querySelector(".wb-tok-chosen")?.classList.remove("wb-tok-chosen");
    token.classList.add("wb-tok-chosen");
    const [own, ...others] = token.title.split("\n").filter(Boolean);
    detail.textContent = others.length ? `${own}; likeliest: ${others.join(", ")}` : own;
  }

  document.addEventListener("click", (event) => {
    const token = event.target.closest(".wb-tok");
    if (token) choose(token);
  });

  document.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !event.target.matches?.(".wb-tokens > div")) return;
    const tokens = [...event.target.querySelectorAll(".wb-tok")];
    const at = tokens.findIndex((token) => token.classList.contains("wb-tok-chosen"));
    const next = tokens[at < 0 ? 0 : Math.min(Math.max(at + step, 0), tokens.length - 1)];
    if (next) { event.preventDefault(); choose(next); next.scrollIntoView({ block: "nearest" }); }
  });
})();
