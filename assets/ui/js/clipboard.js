// Copying, with an answer to "did it work?" where the person looks.
"use strict";

(() => {
  const wb = (window.wb = window.wb || {});

  async function write(text) {
    if (navigator.clipboard && window.isSecureContext) {
      await navigator.clipboard.writeText(text);
      return;
    }
    // Plain http off loopback has no clipboard API.
    const area = document.createElement("textarea");
    area.value = text;
    area.style.cssText = "position:fixed;opacity:0";
    document.body.append(area);
    area.select();
    const isDone = document.execCommand("copy");
    area.remove();
    if (!isDone) throw new Error("the browser refused to copy");
  }

  wb.copyBlock = async (source, reportTo) => {
    const block = document.querySelector(source);
    const title = document.querySelector(`${reportTo} strong`);
    if (!block || !title) return;
    try {
      await write(block.textContent);
      title.textContent = wb.text("Copied. Your key is in the block below");
    } catch (failure) {
      title.textContent = wb.text("Your key is in the block below: select it and copy");
    }
  };

  wb.copyFrom = async (button, text) => {
    const label = button.querySelector("span");
    try {
      await write(text);
      label.textContent = wb.text("Copied");
    } catch (failure) {
      label.textContent = wb.text("Not copied");
    }
    setTimeout(() => { label.textContent = wb.text("Copy"); }, 1600);
  };

  wb.save = (name, type, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  document.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-wb-copy]");
    if (copy) wb.copyFrom(copy, document.querySelector(copy.dataset.wbCopy)?.textContent ?? "");
    const save = event.target.closest("[data-wb-download]");
    const code = save && document.querySelector(`${save.dataset.wbDownload} code`);
    if (code) wb.save(code.dataset.file || "snippet.txt", "text/plain", code.textContent + "\n");
  });
})();
