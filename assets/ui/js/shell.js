// The frame's behaviour: pages by address, drawers, the colour scheme, and the keyboard.
"use strict";

const wb = (window.wb = window.wb || {});

(() => {
  const root = document.documentElement;
  const narrow = window.matchMedia("(max-width: 900px)");
  const message = () => [...document.querySelectorAll(".wb-message textarea")].find((box) => box.offsetParent);

  // --- pages -----------------------------------------------------------------------------------------------
  const tab = (name) => document.querySelector(`#wb-pages [role="tab"][data-tab-id="${CSS.escape(name)}"]`);

  function mark(name) {
    for (const link of document.querySelectorAll(".wb-rail [data-page]")) {
      if (link.dataset.page === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

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
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      const stop = [...document.querySelectorAll(".wb-stop")].find((button) => button.offsetParent);
      if (root.classList.contains("wb-menu-open") || root.classList.contains("wb-panel-open")) closeDrawers();
      else stop?.click();
    } else if (event.key === "/" && !isTyping(event.target) && !event.ctrlKey && !event.metaKey && message()) {
      event.preventDefault();
      message().focus();
    } else if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      const model = document.querySelector("#wb-model input");
      if (!model) return;
      event.preventDefault();
      if (narrow.matches) { root.classList.add("wb-panel-open"); setExpanded("config", true); }
      root.classList.remove("wb-panel-closed");
      model.focus();
      model.click();
    }
  });

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
    applyScheme();
    openPage();
    if (narrow.matches) setExpanded("config", false);
    setExpanded("fold", !root.classList.contains("wb-folded"));
    isReady = true;
    for (const act of waiting) act();
  });
  started.observe(document, { childList: true, subtree: true });
})();
