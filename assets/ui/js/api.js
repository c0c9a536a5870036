// Calls of this tab through the real HTTP door. What they carried lives here only, and is gone with the tab.
"use strict";

(() => {
  const wb = (window.wb = window.wb || {});
  const calls = [];

  function row(call) {
    const item = document.createElement("details");
    const summary = document.createElement("summary");
    const tokens = call.response?.usage?.completion_tokens;
    const facts = [call.at.toLocaleTimeString(), call.body.model, call.status, `${Math.round(call.milliseconds)} ms`];
    if (tokens !== undefined) facts.push(`${tokens} tokens`);
    summary.textContent = facts.join(" · ");
    const sent = document.createElement("pre");
    sent.textContent = JSON.stringify(call.body, null, 2);
    const got = document.createElement("pre");
    got.textContent = JSON.stringify(call.response, null, 2);
    for (const block of [sent, got]) { block.className = "wb-call-text"; block.tabIndex = 0; }
    item.append(summary, sent, got);
    return item;
  }

  function list() {
    const place = document.querySelector("#api-calls [data-calls]");
    if (!place) return;
    place.replaceChildren(...calls.map(row));
    place.parentElement.hidden = calls.length === 0;
  }

  // POSTs the body and gives back what the server needs for the comparison: status, time, answer.
  wb.callApi = async (text) => {
    if (!text) return "";
    const began = performance.now();
    const call = { at: new Date(), body: JSON.parse(text), status: 0, milliseconds: 0, response: null };
    try {
      const answer = await fetch("openai/v1/chat/completions", {
        method: "POST", headers: { "content-type": "application/json" }, body: text,
      });
      call.status = answer.status;
      call.response = await answer.json();
    } catch (failure) {
      call.response = { error: { message: "the connection failed" } };
    }
    call.milliseconds = performance.now() - began;
    calls.unshift(call);
    list();
    return JSON.stringify({ status: call.status, milliseconds: call.milliseconds, response: call.response });
  };
})();
