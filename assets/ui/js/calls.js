// The calls of this tab: the chat's, Compare's, and those through the HTTP door. What they carried lives here only,
// and is gone with the tab.
"use strict";

(() => {
  const wb = (window.wb = window.wb || {});
  const KEPT = 50;
  const ROUTES = { chat: "chat/completions", completion: "completions" };
  const calls = [];
  let opened = null;

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const time = (call) => new Date(call.at).toLocaleTimeString();

  function summaryOf(call) {
    const tokens = call.response?.usage?.completion_tokens;
    const facts = [call.source, String(call.body.model).split("/").pop(), call.status, `${Math.round(call.milliseconds)} ms`];
    if (tokens !== undefined) facts.push(`${tokens} tokens`);
    const summary = element("summary");
    summary.append(element("time", "", time(call)), element("span", "", facts.join(" · ")));
    return summary;
  }

  function row(call) {
    const item = element("details");
    const open = element("button", "wb-text-button", wb.text("Open as code"));
    open.type = "button";
    open.addEventListener("click", () => show(call));
    const parts = [open];
    for (const [title, value] of [[wb.text("Sent"), call.body], [wb.text("Received"), call.response]]) {
      const block = element("pre", "wb-call-text", JSON.stringify(value, null, 2));
      block.tabIndex = 0;
      block.setAttribute("role", "region");
      block.setAttribute("aria-label", title);
      parts.push(element("h4", "", title), block);
    }
    item.append(summaryOf(call), ...parts);
    return item;
  }

  // Rows are made once: an open one stays open while others arrive above it.
  function add(call) {
    calls.unshift(call);
    const place = document.querySelector("#api-calls [data-calls]");
    place?.prepend(row(call));
    if (calls.length > KEPT) { calls.pop(); place?.lastElementChild?.remove(); }
    const none = document.querySelector("#api-calls [data-no-calls]");
    if (none) none.hidden = true;
  }

  // --- one call in the editor, in place of the panel's request ----------------------------------------------------
  function show(call) {
    if (opened === call) return;
    opened = call;
    document.body.classList.toggle("wb-call-open", call !== null);
    const notice = document.querySelector("#api-showing [data-showing]");
    notice.hidden = call === null;
    if (call) {
      notice.querySelector("[data-showing-what]").textContent = wb.text("The call of {1}, from {2}", time(call), call.source);
      document.querySelector("#wb-editor").scrollIntoView({ block: "center" });
    }
    document.querySelector("#api-open-call").click();
  }
  wb.openedCall = () => (opened ? JSON.stringify({ endpoint: opened.endpoint, body: opened.body }) : "");
  document.addEventListener("click", (event) => { if (event.target.closest("[data-close-call]")) show(null); });
  // Whoever changes a setting wants to see it in the code.
  document.addEventListener("input", (event) => {
    if (opened && event.target.closest("#wb-config, #api-message, #api-kind, #api-stream")) show(null);
  });

  // The page's own calls, as the server hands them over: a list of records, see ui/sent_calls.py.
  wb.noteCalls = (text) => {
    for (const call of text ? JSON.parse(text) : []) add(call);
  };

  // POSTs the body and gives back what the server needs for the comparison: status, time, answer.
  wb.callApi = async (text, kind) => {
    if (!text) return "";
    const began = performance.now();
    const endpoint = ROUTES[kind];
    const call = { source: "Run & compare", at: Date.now(), endpoint, body: JSON.parse(text), status: 0, milliseconds: 0, response: null };
    try {
      const answer = await fetch(`openai/v1/${endpoint}`, {
        method: "POST", headers: { "content-type": "application/json" }, body: text,
      });
      call.status = answer.status;
      call.response = await answer.json();
    } catch (failure) {
      call.response = { error: { message: "the connection failed" } };
    }
    call.milliseconds = performance.now() - began;
    add(call);
    return JSON.stringify({ status: call.status, milliseconds: call.milliseconds, response: call.response });
  };
})();
