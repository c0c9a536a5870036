// The thread in the browser: copying an answer, exporting the conversation. Nothing here talks to the server.
"use strict";

(() => {
  const wb = (window.wb = window.wb || {});
  const isDecoration = (text) => /^<(details class="wb-reasoning|div class="wb-(foot|waiting))/.test(text);

  // [{role, content}] of what was said, without the page's own decoration.
  wb.plainThread = (thread) =>
    (thread || []).map((message) => ({
      role: message.role,
      content: (Array.isArray(message.content) ? message.content : [{ text: String(message.content) }])
        .map((part) => part.text || "")
        .filter((text) => message.role === "user" || !isDecoration(text))
        .join("\n\n"),
    }));

  wb.exportThread = (thread) => {
    const said = wb.plainThread(thread);
    const name = { user: "You", assistant: "Model" };
    wb.save("conversation.md", "text/markdown", said.map((m) => `## ${name[m.role]}\n\n${m.content}\n`).join("\n"));
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("#wb-thread .wb-copy");
    if (!button) return;
    const answer = button.closest(".message.bot, .bot")?.querySelector(".message-content .prose, .prose");
    wb.copyFrom(button, answer ? answer.innerText : "");
  });

  // What Gradio says to screen readers, put right. It names every message by its source text: for our own decoration
  // that source is markup, and no name is better. Its examples are a "list" of buttons, which is no list. And wide
  // code in an answer must be reachable for a keyboard to be scrolled.
  function mend() {
    for (const element of document.querySelectorAll('#wb-thread [aria-label^="bot\'s message: <"]')) {
      element.removeAttribute("aria-label");
    }
    for (const element of document.querySelectorAll('#wb-thread .examples[role="list"]')) element.removeAttribute("role");
    for (const block of document.querySelectorAll("#wb-thread pre:not([tabindex])")) block.tabIndex = 0;
  }
  new MutationObserver(mend).observe(document.documentElement, { childList: true, subtree: true });
})();
