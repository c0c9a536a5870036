// The configuration panel in the browser: a number that is not set, one setting reset alone, presets.
"use strict";

(() => {
  const wb = (window.wb = window.wb || {});
  const KEY = "wb-presets";
  const view = () => (document.body.dataset.view === "API" ? "api" : "ui");
  const elementId = (prefix, name) => `${prefix}-${name.replaceAll("_", "-")}`;
  const number = (prefix, name) => document.querySelector(`#${elementId(prefix, name)} input[type="number"]`);
  // What the server says of the chosen model: where each number starts, which settings its endpoint ignores, and which
  // parts of the panel its backend refuses.
  function facts(prefix) {
    const told = document.querySelector(`#${prefix}-defaults [data-facts]`)?.dataset.facts;
    return { values: {}, ignored: [], lacks: [], ...JSON.parse(told ?? "{}") };
  }
  const prefixes = () => [...document.querySelectorAll("[id$='-defaults']:has([data-facts])")].map((place) => place.id.slice(0, -9));

  // --- the last choices among the models open a page, and the model that was chosen stays ------------------------
  wb.chooseModel = (model) => {
    if (!model.startsWith("+")) return model;
    wb.openPage(model.slice(1));
    return document.querySelector("#wb-model-header [data-model]").dataset.model;
  };

  function set(input, value) {
    if (!input) return;
    input.value = value ?? "";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // --- not set: an empty box. Gradio would turn it into the slider's minimum when the focus leaves it. -----------
  document.addEventListener("blur", (event) => {
    if (event.target.matches?.('.wb-slider input[type="number"]') && event.target.value === "") event.stopImmediatePropagation();
  }, true);

  // --- one setting, back to the model's default ------------------------------------------------------------------
  function resetButton(prefix, name, input) {
    const head = input.closest(".head");
    let button = head.querySelector(".wb-reset-one");
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.className = "wb-reset-one";
      button.innerHTML = '<i class="wb-i-undo"></i>';
      button.addEventListener("click", () => set(number(prefix, name), facts(prefix).values[name]));
      head.insertBefore(button, head.lastElementChild);
    }
    return button;
  }

  // What would be ignored or refused is greyed, and says why.
  function grey(block, isGrey, why) {
    if (!block || (!isGrey && !block.classList.contains("wb-ignored"))) return;
    block.classList.toggle("wb-ignored", isGrey);
    for (const input of block.querySelectorAll("input, textarea")) input.disabled = isGrey;
    if (isGrey) block.dataset.why = why;
    else delete block.dataset.why;
  }

  function dress() {
    namePreset();
    for (const prefix of prefixes()) {
      watch(prefix);
      const { values, ignored, lacks } = facts(prefix);
      for (const [name, value] of Object.entries(values)) {
        const input = number(prefix, name);
        if (!input) continue;
        const isUnset = input.value === "";
        const block = input.closest(".wb-slider");
        const button = resetButton(prefix, name, input);
        input.placeholder = wb.text("not set");
        button.title = wb.text("Back to {1}", value ?? wb.text("not set"));
        button.setAttribute("aria-label", wb.text("{1}: back to {2}", name.replaceAll("_", " "), value ?? wb.text("not set")));
        button.hidden = isUnset ? value === null : Number(input.value) === value;
        block.classList.toggle("wb-unset", isUnset);
        grey(block, ignored.includes(name), wb.text("This model's endpoint ignores it: it is not sent."));
      }
      for (const part of ["schema-drawer", "tools-drawer", "logprobs"]) {
        grey(document.querySelector(`#${prefix}-${part}`), lacks.includes(part), wb.text("This model does not support it."));
      }
    }
  }
  const soon = () => requestAnimationFrame(dress);
  document.addEventListener("input", soon);
  document.addEventListener("click", soon);
  // The sliders tell of a new value by their style, the facts of a model by theirs. A panel is watched once it is there.
  const observer = new MutationObserver(soon);
  const watched = new WeakSet();
  function watch(prefix) {
    const panel = document.querySelector(`#${prefix}-defaults`).closest(".wb-panel, .wb-pane-settings");
    if (!panel || watched.has(panel)) return;
    watched.add(panel);
    observer.observe(panel, { childList: true, subtree: true, attributes: true, attributeFilter: ["style", "data-facts"] });
  }
  // The panel may be built after the page's frame.
  function start() {
    dress();
    if (!prefixes().length) setTimeout(start, 100);
  }
  wb.onReady(start);

  // --- presets ---------------------------------------------------------------------------------------------------
  const own = () => JSON.parse(localStorage.getItem(KEY) || "{}");

  function apply(values) {
    for (const [name, value] of Object.entries(values)) set(number(view(), name), value);
  }

  function current() {
    const values = {};
    for (const name of Object.keys(facts(view()).values)) {
      const input = number(view(), name);
      values[name] = input && input.value !== "" ? Number(input.value) : null;
    }
    return values;
  }

  // The preset whose values are the panel's, by name: what a menu of choices says of itself.
  function namePreset() {
    const name = document.querySelector("[data-wb-preset-name]");
    if (!name) return;
    const values = current();
    const isSet = (preset) => Object.entries(JSON.parse(preset)).every(([setting, value]) => values[setting] === value);
    const chosen = [...document.querySelectorAll("[data-wb-preset]")].filter((entry) => {
      entry.toggleAttribute("data-is-set", isSet(entry.dataset.wbPreset));
      return entry.hasAttribute("data-is-set");
    });
    const text = chosen.length ? wb.text("Preset: {1}", chosen[0].textContent) : wb.text("Presets");
    if (name.textContent !== text) name.textContent = text;
  }

  // All that is set, as the Raw JSON box and the API take it.
  function settings() {
    const stop = document.querySelector(`#${view()}-stop textarea`)?.value.split("\n").filter(Boolean) ?? [];
    const set = Object.entries(current()).filter(([, value]) => value !== null);
    return Object.fromEntries([...set, ...(stop.length ? [["stop", stop]] : [])]);
  }

  function listOwn() {
    const list = document.querySelector("[data-wb-own-presets]");
    if (!list) return;
    list.replaceChildren(...Object.entries(own()).map(([name, values]) => {
      const row = document.createElement("div");
      const use = document.createElement("button");
      const remove = document.createElement("button");
      row.className = "wb-own-preset";
      use.type = remove.type = "button";
      use.textContent = name;
      use.dataset.wbPreset = JSON.stringify(values);
      remove.setAttribute("aria-label", wb.text("Forget {1}", name));
      remove.textContent = "×";
      remove.addEventListener("click", (event) => { event.stopPropagation(); store({ ...own(), [name]: undefined }); });
      row.append(use, remove);
      return row;
    }));
    namePreset();
  }

  function store(presets) {
    localStorage.setItem(KEY, JSON.stringify(presets));
    listOwn();
  }

  document.addEventListener("toggle", (event) => { if (event.target.id === "wb-presets") listOwn(); }, true);
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-wb-save-preset]")) return;
    event.preventDefault();
    const name = event.target.querySelector("input").value.trim();
    if (name) store({ ...own(), [name]: current() });
    event.target.reset();
  });
  document.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-wb-copy-settings]");
    if (copy) wb.copyFrom(copy, JSON.stringify(settings(), null, 2));
    const example = event.target.closest("[data-wb-example]");
    const box = example?.closest(".wb-drawer").querySelector("textarea");
    if (box) { set(box, box.placeholder); box.focus(); }
    const preset = event.target.closest("[data-wb-preset]");
    if (!preset) return;
    apply(JSON.parse(preset.dataset.wbPreset));
    document.querySelector("#wb-presets").open = false;
  });
})();
