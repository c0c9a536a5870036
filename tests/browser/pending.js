// Counts what a page still waits for: its requests, and the events it sent to Gradio's queue until they are answered.
// The stream that brings the answers says nothing: Gradio may leave one open that nothing more will come by.
"use strict";

(() => {
  const pending = (window.wbPending = new Set());
  const answered = new Set(); // an answer may be quicker than what tells its event's name
  const ask = window.fetch;

  async function read(stream) {
    const lines = stream.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await lines.read();
      if (done) return;
      text += value;
      const whole = text.split("\n");
      text = whole.pop();
      for (const line of whole.filter((line) => line.startsWith("data:"))) {
        const { msg, event_id: id } = JSON.parse(line.slice(5));
        if (msg !== "process_completed") continue;
        answered.add(id);
        pending.delete(id);
      }
    }
  }

  window.fetch = async (...request) => {
    const address = String(request[0]?.url ?? request[0]);
    if (address.includes("/heartbeat/")) return ask(...request);
    const name = {};
    pending.add(name);
    try {
      const response = await ask(...request);
      if (address.includes("/queue/data")) {
        read(response.clone().body).catch(() => {}); // it ends by being aborted
      } else if (address.includes("/queue/join") && response.ok) {
        const id = (await response.clone().json()).event_id;
        if (!answered.has(id)) pending.add(id);
      }
      return response;
    } finally {
      pending.delete(name);
    }
  };
})();
