// The frame's behaviour: pages by address, drawers, the colour scheme, and the keyboard.
"use strict";

const wb = (window.wb = window.wb || {});

// A text in the reader's language; {1}, {2} stand for the values. Without a translation it is what it is here.
wb.text = (english, ...values) => {
  const [known] = Object.values(window.gradio_config?.i18n_translations ?? {});
  const said = known && Object.hasOwn(known, english) ? known[english] : english;
  return said.replace(/\{(\d+)\}/g, (hole, place) => values[place - 1] ?? hole);
};

(() => {
  const root = document.documentElement;
  const narrow = window.matchMedia("(max-width: 900px)");
  const MESSAGES = ".wb-message textarea, #wb-arena-question textarea";
  const message = () => [...document.querySelectorAll(MESSAGES)].find((box) => box.offsetParent);

  // --- pages -----------------------------------------------------------------------------------------------
  const tab = (name) => document.querySelector(`#wb-pages [role="tab"][data-tab-id="${CSS.escape(name)}"]`);

  function mark(name) {
    for (const link of document.querySelectorAll(".wb-rail [data-page]")) {
      if (link.dataset.page !== name) { link.removeAttribute("aria-current"); continue; }
      link.setAttribute("aria-current", "page");
      document.title = `${link.title} · Workbench`;
    }
  }
  const pageName = () => document.querySelector('.wb-rail [aria-current="page"]')?.dataset.page;

  function openPage() {
    const rail = document.querySelector(".wb-rail");
    if (!rail) return;
    const wanted = decodeURIComponent(location.hash.slice(1));
    const name = tab(wanted) ? wanted : rail.dataset.first;
    const button = tab(name);
    if (button && button.getAttribute("aria-selected") !== "true") button.click();
    mark(name);
  }
  wb.showArena = (isShown) => document.body.toggleAttribute("data-arena", isShown);
  wb.openPage = (name) => { location.hash = name; };
  window.addEventListener("hashchange", () => { closeDrawers(); openPage(); });

  // --- drawers ---------------------------------------------------------------------------------------------
  function setExpanded(kind, isOpen) {
    for (const button of document.querySelectorAll(`[data-wb="${kind}"]`)) button.setAttribute("aria-expanded", isOpen);
  }
  function closeDrawers() {
    root.classList.remove("wb-menu-open", "wb-panel-open");
    setExpanded("menu", false);
    if (narrow.matches) setExpanded("config", false);
  }
  const actions = {
    menu: () => setExpanded("menu", root.classList.toggle("wb-menu-open")),
    "close-drawers": closeDrawers,
    config: () => {
      if (narrow.matches) setExpanded("config", root.classList.toggle("wb-panel-open"));
      else setExpanded("config", !root.classList.toggle("wb-panel-closed"));
    },
    fold: () => {
      const isFolded = root.classList.toggle("wb-folded");
      setExpanded("fold", !isFolded);
      localStorage.setItem("wb-folded", isFolded ? "1" : "");
    },
    keys: () => document.querySelector("#wb-keys").showModal(),
    api: () => document.querySelector('#wb-view input[value="API"]')?.click(),
    verdict: () => document.querySelector("#wb-evaluate-verdicts").scrollIntoView({ block: "start", behavior: "smooth" }),
    scheme: () => {
      const isDark = document.body.classList.toggle("dark");
      localStorage.setItem("wb-scheme", isDark ? "dark" : "light");
    },
  };
  document.addEventListener("click", (event) => {
    const control = event.target.closest("[data-wb]");
    if (control && actions[control.dataset.wb]) actions[control.dataset.wb](control);
  });

  // --- the colour scheme: the system's, until somebody chooses ---------------------------------------------
  function applyScheme() {
    const chosen = localStorage.getItem("wb-scheme");
    if (chosen) document.body.classList.toggle("dark", chosen === "dark");
  }

  // --- keyboard --------------------------------------------------------------------------------------------
  const isTyping = (element) => element.matches("input, textarea, select, [contenteditable='true']");
  const MODELS = ".wb-pane-model input, #wb-arena-models input, #wb-evaluate-models input, #models-chosen input";

  // The list of models of the page that is shown, or else the chat's.
  function chooseModel() {
    const here = [...document.querySelectorAll(MODELS)].find((box) => box.offsetParent);
    if (!here && pageName() !== "serverless") wb.openPage("serverless");
    if (!here && narrow.matches) { root.classList.add("wb-panel-open"); setExpanded("config", true); }
    if (!here) root.classList.remove("wb-panel-closed");
    const box = here ?? document.querySelector("#wb-model input");
    // A page or a drawer that is being opened takes a moment until what is in it can have the focus.
    const open = (turns) => {
      box.focus();
      if (document.activeElement === box) box.click();
      else if (turns) requestAnimationFrame(() => open(turns - 1));
    };
    open(120);
  }

  // What Escape closes, the nearest first: a menu, a drawer; and if there is none, it stops the answer.
  function leave() {
    const menu = document.querySelector("details.wb-menu[open]");
    const isDrawerOpen = ["wb-menu-open", "wb-panel-open"].some((name) => root.classList.contains(name));
    const stop = [...document.querySelectorAll(".wb-stop")].find((button) => button.offsetParent);
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    else if (isDrawerOpen) closeDrawers();
    else stop?.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || document.querySelector("dialog[open]")) return;
    const isCommand = event.ctrlKey || event.metaKey;
    const isText = !isCommand && isTyping(event.target);
    if (event.key === "Escape") leave();
    else if (event.key === "/" && !isText && !isCommand && message()) { event.preventDefault(); message().focus(); }
    else if (event.key === "?" && !isText) actions.keys();
    else if (event.key.toLowerCase() === "k" && isCommand) { event.preventDefault(); chooseModel(); }
  });
  // A click beside the list of keys is one on its backdrop, which belongs to it.
  document.addEventListener("click", (event) => { if (event.target.matches("dialog")) event.target.close(); });

  // --- what a page shows: code instead of the chat, two to four columns ------------------------------------
  wb.showView = (view) => { document.body.dataset.view = view; };
  wb.showPanes = (count) => { document.body.dataset.panes = count; };

  // --- start: when Gradio has built the page ---------------------------------------------------------------
  const waiting = [];
  let isReady = false;
  wb.onReady = (act) => { if (isReady) act(); else waiting.push(act); };
  if (localStorage.getItem("wb-folded")) root.classList.add("wb-folded");
  const started = new MutationObserver(() => {
    if (!["#wb-pages [role='tab']", ".wb-rail [data-page]", "#wb-config"].every((part) => document.querySelector(part))) return;
    started.disconnect();
    // Gradio names the browser's language here, in which the page may not be.
    [root.lang = "en"] = Object.keys(window.gradio_config.i18n_translations ?? {});
    applyScheme();
    openPage();
    if (narrow.matches) setExpanded("config", false);
    setExpanded("fold", !root.classList.contains("wb-folded"));
    isReady = true;
    for (const act of waiting) act();
  });
  started.observe(document, { childList: true, subtree: true });
})();
