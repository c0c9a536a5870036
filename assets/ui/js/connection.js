// What the page says when its server is gone, or has forgotten this page: it was started again, or the session ended.
"use strict";

(() => {
  const EVERY_MS = 2000;
  const ask = window.fetch.bind(window);
  const GONE = [502, 503, 504]; // what a proxy says for a server behind it that is not there
  const TEXTS = {
    lost: () => [wb.text("The server does not answer"), wb.text("What is on this page can still be read and copied. Trying again every few seconds.")],
    over: () => [wb.text("This page’s session is over"), wb.text("The server was started again, or you were logged out. Copy what you need, then load the page anew."), wb.text("Load anew")],
  };
  let bar = null;
  let isLooking = false;

  function tell(kind) {
    bar?.remove();
    bar = null;
    document.documentElement.classList.toggle("wb-cut-off", kind !== "");
    if (!kind) return;
    const [title, text, button] = TEXTS[kind]();
    bar = document.createElement("div");
    bar.className = "wb-connection wb-notice wb-error";
    bar.dataset.kind = kind;
    bar.setAttribute("role", "alert");
    const said = document.createElement("div");
    said.append(Object.assign(document.createElement("strong"), { textContent: title }),
                Object.assign(document.createElement("p"), { textContent: text }));
    bar.append(said);
    if (button) {
      const act = Object.assign(document.createElement("button"), { type: "button", className: "wb-connection-act", textContent: button });
      act.addEventListener("click", () => location.reload());
      bar.append(act);
    }
    document.body.append(bar);
  }

  const later = () => new Promise((done) => setTimeout(done, EVERY_MS));

  // "lost", "over", or "" for the very server that made this page.
  async function state() {
    try {
      const answer = await ask("gradio_api/app_id", { cache: "no-store" });
      if (answer.status === 401) return "over";
      if (!answer.ok) return "lost";
      return (await answer.json()).app_id === window.gradio_config?.app_id ? "" : "over";
    } catch (failure) {
      return "lost";
    }
  }

  async function look() {
    if (isLooking) return;
    isLooking = true;
    let kind = await state();
    while (kind === "lost") {
      if (bar?.dataset.kind !== kind) tell(kind);
      await later();
      kind = await state();
    }
    tell(kind);
    isLooking = kind !== ""; // there is nothing more to find out
  }

  const isOurs = (address) => address.includes("gradio_api/") && new URL(address, location.href).origin === location.origin;
  window.fetch = async (...request) => {
    const address = String(request[0]?.url ?? request[0]);
    try {
      const answer = await ask(...request);
      if (isOurs(address) && (answer.status === 401 || GONE.includes(answer.status))) look();
      return answer;
    } catch (failure) {
      if (isOurs(address) && failure.name !== "AbortError") look();
      throw failure;
    }
  };
})();
