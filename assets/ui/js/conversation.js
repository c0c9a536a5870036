// The conversation as a file, and back. Both happen in the browser; only what is imported goes to the tab's session.
"use strict";

(() => {
  const wb = (window.wb = window.wb || {});
  const isDecoration = (text) => /^<(details class="wb-reasoning|div class="wb-(foot|waiting|calls))/.test(text);

  // [{role, content}] of what was said, without the page's own decoration.
  function plain(thread) {
    return (thread || []).map((message) => ({
      role: message.role,
      content: (Array.isArray(message.content) ? message.content : [{ text: String(message.content) }])
        .map((part) => part.text || "")
        .filter((text) => message.role === "user" || !isDecoration(text))
        .join("\n\n"),
    }));
  }

  const titles = { user: "You", assistant: "Model", tool: "Result of a tool" };
  const fenced = (text) => "```json\n" + text + "\n```";
  function section(message) {
    const calls = (message.tool_calls || []).map((call) => `Calls \`${call.function.name}\`:\n\n${fenced(call.function.arguments)}`);
    const parts = [message.reasoning_content ? `> ${message.reasoning_content.replaceAll("\n", "\n> ")}` : "", message.content, ...calls];
    return `## ${titles[message.role]}\n\n${parts.filter(Boolean).join("\n\n")}\n`;
  }
  const isSaid = (message) => message.role !== "system";

  const writers = {
    md: ({ messages }) => {
      const system = messages.filter((message) => !isSaid(message)).map((message) => `> ${message.content.replaceAll("\n", "\n> ")}\n\n`);
      return system.join("") + messages.filter(isSaid).map(section).join("\n");
    },
    json: (conversation) => JSON.stringify(conversation, null, 2) + "\n",
    // A row for every answer, as evaluation sets are written: what was said before it, and the answer as expected.
    jsonl: ({ messages }) => {
      let count = 0;
      return messages
        .map((message, place) =>
          message.role === "assistant" && message.content
            ? JSON.stringify({ id: `turn-${++count}`, messages: messages.slice(0, place), expected: message.content }) + "\n"
            : "")
        .join("");
    },
  };
  const types = { md: "text/markdown", json: "application/json", jsonl: "application/jsonl" };

  let wanted = "md"; // the format whose menu entry was clicked last
  let answer = 0; // the answer whose copy button was clicked last
  let copier = null;

  // Makes the file of the conversation's JSON; what it gives back empties the place the text came in.
  wb.exportConversation = (text) => {
    if (text) wb.save(`conversation.${wanted}`, types[wanted], writers[wanted](JSON.parse(text)));
    return "";
  };

  const round = (value, places) => (value === null ? "?" : value.toFixed(places));
  function numbersLine(of) {
    if (!of) return "_no answer_";
    const facts = [of.conditions, `TTFT ${round(of.ttft_seconds, 3)} s`, `${round(of.tokens_per_second, 1)} tokens/s`,
                   `${of.prompt_tokens} in`, `${of.completion_tokens} out`, of.finish_reason];
    return `_${facts.filter(Boolean).join(" · ")}_`;
  }
  // Prompt by prompt, the columns' answers under each.
  function comparisonText({ columns }) {
    const systems = columns.filter((column) => column.system).map((column) => `> ${column.model}: ${column.system.replaceAll("\n", "\n> ")}\n`);
    const rounds = Math.max(...columns.map((column) => column.turns.length));
    const parts = Array.from({ length: rounds }, (_, place) => {
      const turns = columns.map((column) => column.turns[place]).filter(Boolean);
      return [`## ${turns[0].prompt}`, ...turns.map((turn) => `### ${turn.model}\n\n${turn.answer}\n\n${numbersLine(turn.numbers)}`)].join("\n\n");
    });
    return [...systems, ...parts].join("\n") + "\n";
  }
  wb.exportComparison = (text) => {
    if (!text) return "";
    const comparison = JSON.parse(text);
    wb.save(`comparison.${wanted}`, types[wanted], wanted === "md" ? comparisonText(comparison) : JSON.stringify(comparison, null, 2) + "\n");
    return "";
  };

  wb.copyAnswer = (thread) => {
    const answers = plain(thread).filter((message) => message.role === "assistant");
    if (copier && answers[answer]) wb.copyFrom(copier, answers[answer].content);
  };

  wb.pickConversation = () =>
    new Promise((resolve) => {
      const input = document.createElement("input");
      input.type = "file";
      input.accept = ".json,application/json";
      input.addEventListener("cancel", () => resolve(""));
      input.addEventListener("change", async () => resolve(input.files[0] ? await input.files[0].text() : ""));
      input.click();
    });

  document.addEventListener("click", (event) => {
    const format = event.target.closest("[data-wb-export]");
    if (format) {
      wanted = format.dataset.wbExport;
      document.querySelector("#wb-export-run")?.click();
    }
    const comparison = event.target.closest("[data-wb-export-comparison]");
    if (comparison) {
      wanted = comparison.dataset.wbExportComparison;
      document.querySelector("#wb-compare-export-run")?.click();
    }
    const copy = event.target.closest(".wb-thread .wb-copy");
    if (copy && !copy.closest("#wb-thread")) {
      const shown = copy.closest(".bot-row").querySelectorAll(".prose:not(:has(.wb-foot, .wb-reasoning))");
      wb.copyFrom(copy, [...shown].map((part) => part.innerText).join("\n\n"));
    } else if (copy) {
      copier = copy;
      answer = [...document.querySelectorAll("#wb-thread .bot-row")].indexOf(copy.closest(".bot-row"));
      document.querySelector("#wb-copy-run")?.click();
    }
    for (const menu of document.querySelectorAll("details.wb-menu[open]")) {
      if (format || !menu.contains(event.target)) menu.open = false;
    }
  });
})();
