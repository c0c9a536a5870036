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

  // Gradio names every message by its source text. For our own decoration that source is markup: no name is better.
  const named = '#wb-thread [aria-label^="bot\'s message: <"]';
  new MutationObserver(() => {
    for (const element of document.querySelectorAll(named)) element.removeAttribute("aria-label");
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
