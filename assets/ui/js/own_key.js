// The reader's own key in the code: the server writes a placeholder, the key is put in here and never leaves the tab.
"use strict";

(() => {
  const wb = (window.wb = window.wb || {});
  const PLACEHOLDER = "wb-your-key"; // KEY_PLACEHOLDER of ui/api_view/code.py
  const SHAPE = /^wb-[A-Za-z0-9_-]+$/; // anything else could end the string it is written into
  const written = new WeakMap(); // text node -> its text with the placeholder, and what was written for it
  let key = "";

  function put() {
    const code = document.querySelector("#api-code code");
    if (!code) return;
    const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      // a node whose text is no longer ours is used again for other code
      const text = written.get(node)?.shown === node.data ? written.get(node).text : node.data;
      if (!text.includes(PLACEHOLDER)) continue;
      const shown = text.replaceAll(PLACEHOLDER, key || PLACEHOLDER);
      written.set(node, { text, shown });
      if (node.data !== shown) node.data = shown;
    }
  }

  wb.askForKey = (isWanted) => {
    const entry = document.querySelector("[data-own-key]");
    entry.hidden = !isWanted;
    if (isWanted) entry.querySelector("input").focus();
    else { key = entry.querySelector("input").value = ""; entry.querySelector("[data-own-key-fault]").hidden = true; put(); }
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
    if (code) new MutationObserver(put).observe(code, { childList: true, characterData: true, subtree: true });
  });
})();
