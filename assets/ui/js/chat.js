// What Gradio's thread and charts say to screen readers and keyboards, put right.
"use strict";

(() => {
  // It names every message by its source text: for our own decoration that source is markup, and no name is better.
  // Its examples are a "list" of buttons, which is no list. Wide code must be reachable for a keyboard to scroll it.
  // A chart's marks are symbols without a name.
  function mend() {
    for (const element of document.querySelectorAll('[aria-label^="bot\'s message: <"]')) element.removeAttribute("aria-label");
    for (const element of document.querySelectorAll('.examples[role="list"]')) element.removeAttribute("role");
    for (const marks of document.querySelectorAll('[role="graphics-symbol"]:not([aria-label])')) marks.setAttribute("aria-label", wb.text("Marks of the chart"));
    for (const answer of document.querySelectorAll(".wb-arena-answer .bubble-wrap:not([tabindex])")) answer.tabIndex = 0;
    for (const block of document.querySelectorAll(".bot pre:not([tabindex])")) block.tabIndex = 0;
  }
  let isPlanned = false;
  function plan() {
    if (isPlanned) return;
    isPlanned = true;
    requestAnimationFrame(() => { isPlanned = false; mend(); });
  }
  new MutationObserver(plan).observe(document.documentElement, { childList: true, subtree: true });
})();
