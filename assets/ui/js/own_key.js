// The reader's own key in the code: the server writes a placeholder, the key is put in here and never leaves the tab.
"use strict";

(() => {
  const wb = (window.wb = window.wb || {});
  const PLACEHOLDER = "wb-your-key"; // KEY_PLACEHOLDER of ui/api_view.py
  const SHAPE = /^wb-[A-Za-z0-9_-]+$/; // anything else could end the string it is written into
  const written = new WeakMap(); // text node -> its text with the placeholder
  let key = "";

  function put() {
    const code = document.querySelector("#api-code code");
    if (!code) return;
    const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (!written.has(node) && node.data.includes(PLACEHOLDER)) written.set(node, node.data);
      if (written.has(node)) node.data = written.get(node).replaceAll(PLACEHOLDER, key || PLACEHOLDER);
    }
  }

  wb.askForKey = (isWanted) => {
    const entry = document.querySelector("[data-own-key]");
    entry.hidden = !isWanted;
    if (isWanted) entry.querySelector("input").focus();
    else { key = entry.querySelector("input").value = ""; entry.querySelector("[data-own-key-fault]").hidden = true; }
  };

  document.addEventListener("input", (event) => {
    if (event.target.id !== "api-own-key") return;
    const typed = event.target.value.trim();
    const isKey = SHAPE.test(typed);
    key = isKey ? typed : "";
    document.querySelector("[data-own-key-fault]").hidden = isKey || typed === "";
    put();
  });
  wb.onReady(() => {
    const code = document.querySelector("#api-code");
    if (code) new MutationObserver(put).observe(code, { childList: true, subtree: true });
  });
})();
