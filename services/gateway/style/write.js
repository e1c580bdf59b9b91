// What is written: parts that the server words anew, lines that are added and taken away, texts to start from, messages and corrections, documents.
"use strict";
(() => {
  const words = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));

  // What the page brings is bound at once, what takes the place of a part of it (the event "swapped") when it comes.
  const each = (selector, bind) => {
    document.querySelectorAll(selector).forEach(bind);
    document.addEventListener("swapped", ({ target }) => target.querySelectorAll(selector).forEach(bind));
  };
  // Empty lines beyond the first are for browsers without a script.
  const tidy = (part) => { for (const row of part.querySelectorAll("[data-spare]")) row.remove(); };
  tidy(document);
  document.addEventListener("swapped", ({ target }) => tidy(target));

  // Answered parts: <div data-post="/refer/…/criteria" data-post-names="diagnosis kind"> sends its form there when one of these fields or
  // one of its own changes, and shows the answer. An answer to something that was changed since is dropped: the next one is on its way.
  each("[data-post]", (part) => {
    const form = part.closest("form");
    const names = part.dataset.postNames.split(" ");
    let turn = 0, timer, composing = false;
    const put = (html) => {
      const at = part.contains(document.activeElement) ? document.activeElement : null;
      const same = (field) => field.name === at.name && (field.type !== "checkbox" || field.value === at.value);
      const index = at?.name ? [...part.querySelectorAll("[name]")].filter(same).indexOf(at) : -1;
      const caret = [at?.selectionStart, at?.selectionEnd];
      const open = [...part.querySelectorAll("details")].map((details) => details.open);
      part.innerHTML = html;
      tidy(part);
      document.dispatchEvent(new Event("refreshed"));
      part.querySelectorAll("details").forEach((details, i) => { details.open ||= open[i] ?? false; });
      const field = index < 0 ? null : [...part.querySelectorAll("[name]")].filter(same)[index];
      if (!field) return;
      const fold = field.closest("details");
      if (fold) fold.open = true;
      field.focus({ preventScroll: true });
      try { field.setSelectionRange(...caret); } catch { /* a field without a caret */ }
    };
    const post = async () => {
      const mine = ++turn;
      try {
        const answer = await fetch(part.dataset.post, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "X-Fragment": "1" }, credentials: "same-origin" });
        if (!answer.ok) return;
        const html = await answer.text();
        if (mine === turn && !composing) put(html);
      } catch { /* the line is down: what was shown stays */ }
    };
    const soon = (event) => {
      const name = event.target.name ?? event.target.dataset?.name ?? "";
      if (event.type !== "draft" && !names.includes(name) && !part.contains(event.target)) return;
      turn++;
      clearTimeout(timer);
      if ("postCareful" in part.dataset && !names.includes(name) && event.type !== "draft") return;
      if (!composing) timer = setTimeout(post, 500);
    };
    form.addEventListener("compositionstart", () => { composing = true; });
    form.addEventListener("compositionend", (event) => { composing = false; soon(event); });
    for (const type of ["input", "picked", "draft"]) form.addEventListener(type, soon);
    // Enter in a value looks it up; it does not send the referral.
    part.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && event.target.tagName === "INPUT") { event.preventDefault(); clearTimeout(timer); post(); } });
  });

  // Lines: <… id="lines" data-name="field"> with [data-row] in it; a button [data-row-add="lines"] adds one, [data-row-drop] takes its own away,
  // [data-row-set="field"] puts data-row-value into a field of its own.
  const blank = (row) => {
    for (const field of row.querySelectorAll("input, select, textarea")) {
      if (field.type === "checkbox") field.checked = false;
      else if (field.tagName === "SELECT") field.selectedIndex = 0;
      else if (!("rowKey" in field.dataset)) field.value = "";
    }
    for (const part of row.querySelectorAll("[data-row-answer]")) part.replaceChildren();
  };
  const addRow = (lines) => {
    const rows = lines.querySelectorAll("[data-row]");
    const row = rows[rows.length - 1].cloneNode(true);
    blank(row);
    row.classList.remove("wrong");
    for (const part of row.querySelectorAll(".error")) part.remove();
    for (const part of [row, ...row.querySelectorAll("[id]")]) part.removeAttribute("id");
    // The names of a line's boxes carry its key.
    const key = row.querySelector("[data-row-key]");
    if (key) {
      const next = String(1 + Math.max(...[...lines.querySelectorAll("[data-row-key]")].map((field) => Number(field.value))));
      for (const box of row.querySelectorAll("input[type=checkbox]")) box.name = box.name.replace(/\.\d+$/, `.${next}`);
      key.value = next;
    }
    lines.append(row);
    return row;
  };
  document.addEventListener("click", (event) => {
    const add = event.target.closest("[data-row-add]");
    if (add) addRow(document.getElementById(add.dataset.rowAdd)).querySelector("input:not([type=hidden])")?.focus();
    const set = event.target.closest("[data-row-set]");
    const field = set?.closest("[data-row]").querySelector(`[name="${set.dataset.rowSet}"]`);
    if (field) {
      event.preventDefault();
      field.value = set.dataset.rowValue;
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    const row = event.target.closest("[data-row-drop]")?.closest("[data-row]");
    if (!row) return;
    const lines = row.parentElement;
    if (lines.querySelectorAll("[data-row]").length > 1) row.remove(); else blank(row);
    lines.dispatchEvent(new Event("input", { bubbles: true }));
  });
  // A draft brings its lines and what a part was told back, before the parts ask the server.
  const hide = (name, value) => { const field = document.createElement("input"); field.type = "hidden"; field.name = name; field.value = value; return field; };
  each("form[data-draft]", (form) => {
    form.addEventListener("draft", ({ detail }) => {
      for (const field of form.querySelectorAll("[data-keep]")) field.value = detail[field.name]?.[0] ?? field.value;
      for (const part of form.querySelectorAll("[data-post-keep]")) {
        for (const [name, values] of Object.entries(detail)) {
          if (part.dataset.postKeep.split(" ").some((kept) => kept === name || (kept.endsWith(".") && name.startsWith(kept)))) {
            const there = [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
            part.append(...values.filter((value) => !there.some((field) => field.type !== "checkbox" || field.value === value)).map((value) => hide(name, value)));
          }
        }
      }
      for (const lines of form.querySelectorAll("[data-name]")) {
        const kept = detail[lines.dataset.name];
        if (!kept || !lines.querySelector("[data-row]")) continue;
        while (lines.querySelectorAll("[data-row]").length < kept.length) addRow(lines);
        [...lines.querySelectorAll("[data-row]")].slice(Math.max(1, kept.length)).forEach((row) => row.remove());
        lines.querySelectorAll("[data-row]").forEach((row, i) => {
          const key = row.querySelector("[data-row-key]");
          const boxes = row.querySelectorAll("input[type=checkbox]");
          if (key) for (const box of boxes) box.name = box.name.replace(/\.\d+$/, `.${detail[key.name]?.[i] ?? key.value}`);
          for (const box of boxes) box.checked = (detail[box.name] ?? []).includes(box.value);
          for (const field of row.querySelectorAll("[name]:not([type=checkbox])")) field.value = detail[field.name]?.[i] ?? field.value;
        });
      }
    });
  });

  // What the record filled in is folded, <details class="filled">, and its summary tells it in [data-told]: what is typed there, or comes back with a draft, is open.
  const filled = (fold) => {
    const fields = [...fold.querySelectorAll("input, select, textarea")];
    fold.querySelector("[data-told]").textContent = fields.map((field) => field.selectedOptions?.[0].textContent ?? field.value).join(" · ");
    return fields.some((field) => (field.options ? !field.selectedOptions[0].defaultSelected : field.value !== field.defaultValue));
  };
  document.addEventListener("input", ({ target }) => { const fold = target.closest?.("details.filled"); if (fold) { fold.open = true; filled(fold); } });
  const open = (part) => { for (const fold of part.querySelectorAll("details.filled")) if (filled(fold)) fold.open = true; };
  document.addEventListener("draft", ({ target }) => open(target), true);
  // Where nothing is kept, a browser fills in again by itself what was typed, when somebody comes back.
  addEventListener("pageshow", () => open(document));

  // What is proposed from a choice, <form data-propose="diagnosis=form.initialImpression">, fills only an empty field and follows the choice until something
  // else is typed: it is selected when the field is gone to, so that typing replaces it. The hidden field "proposed" holds it, also over a refusal and in a draft.
  const proposed = (field) => field.value !== "" && field.form?.dataset.propose?.endsWith(`=${field.name}`) && field.value === field.form.elements.proposed.value;
  each("form[data-propose]", (form) => {
    const [from, to] = form.dataset.propose.split("=");
    const field = form.elements[to];
    const mark = () => field.classList.toggle("proposed", proposed(field));
    form.addEventListener("picked", () => {
      if (field.value.trim() && !proposed(field)) return;
      field.value = [...form.querySelectorAll(`input[type=hidden][name="${from}"]`)].map((chosen) => chosen.dataset.called ?? chosen.value.split("|")[1]).filter(Boolean).join("；");
      form.elements.proposed.value = field.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    let came = false;
    field.addEventListener("input", mark);
    field.addEventListener("focus", () => { if (proposed(field)) field.select(); });
    field.addEventListener("pointerdown", () => { came = document.activeElement !== field; });
    field.addEventListener("click", () => { if (came && proposed(field) && field.selectionStart === field.selectionEnd) field.select(); came = false; });
    form.addEventListener("draft", mark);
    mark();
  });
  // A text to start from: <button data-template="CODE">, or the one chosen beside it. It fills what is empty and leads to the first blank; Tab leads to the next.
  const toBlank = (field, from) => {
    const found = /____|【[^】]*】/.exec(field.value.slice(from));
    if (found) {
      field.focus();
      field.setSelectionRange(from + found.index, from + found.index + found[0].length);
      // A browser shows the end of what was filled in, not what is selected.
      field.scrollTop = field.scrollHeight * (from + found.index) / field.value.length - field.clientHeight / 2;
    }
    return found !== null;
  };
  // The texts, <form data-templates="/refer/templates">, are fetched when the page is at rest, so that they are there when the line is gone.
  const texts = new WeakMap();
  const textsOf = (form) => {
    if (!texts.has(form)) texts.set(form, fetch(form.dataset.templates, { credentials: "same-origin", priority: "low" }).then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status))));
    return texts.get(form).catch(() => { texts.delete(form); return {}; });
  };
  each("form[data-templates]", (form) => { (window.requestIdleCallback ?? setTimeout)(() => textsOf(form)); });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-template]");
    const code = button && (button.dataset.template || button.form.elements.template.value);
    if (!code) return;
    const form = button.form;
    const filled = [];
    for (const [name, text] of Object.entries((await textsOf(form))[code] ?? {})) {
      const field = form.elements[name];
      if (!field || !text || (field.value.trim() && !proposed(field))) continue;
      if (field.tagName === "SELECT" && ![...field.options].some((option) => option.value === text)) continue;
      field.value = text;
      filled.push(field);
      field.dispatchEvent(new Event("input", { bubbles: true }));
      if (field.tagName === "SELECT") field.dispatchEvent(new Event("change", { bubbles: true }));
    }
    [...form.elements].some((field) => filled.includes(field) && field.tagName !== "SELECT" && toBlank(field, 0));
  });
  const blanks = (event) => event.key === "Tab" && !event.shiftKey && event.target.matches("form[data-draft] textarea, form[data-draft] input[type=text]");
  document.addEventListener("keydown", (event) => { if (blanks(event) && toBlank(event.target, event.target.selectionEnd)) event.preventDefault(); });
  document.addEventListener("keyup", (event) => {
    if (!blanks(event)) return;
    const { value, selectionStart, selectionEnd } = event.target;
    if (!/^(____|【[^】]*】)$/.test(value.slice(selectionStart, selectionEnd))) toBlank(event.target, 0);
  });

  // ---- The page of one referral: messages, corrections. ----

  // Ctrl and Enter send a message, <textarea data-send>, and in a form that is written, <form data-draft>, do what its main button does.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || event.repeat) return;
    const form = event.target.closest("form[data-draft]") ?? event.target.closest("[data-send]")?.form;
    const button = form?.querySelector("button.primary:not([type=button])") ?? undefined;
    if (!form || button?.disabled) return;
    event.preventDefault();
    form.requestSubmit(button);
  });
  // The newest message is in sight, also when one comes in.
  each('[data-fragment-name="thread"]', (part) => {
    const last = () => { const list = part.querySelector(".messages"); if (list) list.scrollTop = list.scrollHeight; };
    new MutationObserver(last).observe(part, { childList: true });
    last();
  });
  // What is to be corrected is filled in with its present text, <select data-fills="field">, unless something else was typed.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("select[data-fills]")) return;
    const field = event.target.form.elements[event.target.dataset.fills];
    const known = [...event.target.options].map((option) => option.dataset.text ?? "");
    if (known.includes(field.value)) field.value = event.target.selectedOptions[0].dataset.text ?? "";
  });

  // ---- Documents: files are sent one by one, each with its progress; what failed can be sent again. ----
  for (const form of document.querySelectorAll("form[data-upload]")) {
    const list = form.querySelector(".uploads");
    const button = form.querySelector("button");
    // Each file chosen or photographed is added to the list and has a number of its own: the same file is the same write, also sent again.
    let entries = [];
    let numbers = 0;
    const collect = () => {
      for (const input of form.querySelectorAll("input[type=file]")) {
        for (const file of input.files) {
          const row = document.createElement("li");
          const name = document.createElement("strong");
          const text = document.createElement("span");
          const bar = document.createElement("progress");
          const away = document.createElement("button");
          name.textContent = file.name;
          text.textContent = form.dataset.uploadWaiting;
          bar.max = 100; bar.value = 0;
          away.type = "button"; away.textContent = form.dataset.uploadAway;
          away.setAttribute("aria-label", `${form.dataset.uploadAway} ${file.name}`);
          row.append(name, bar, text, away);
          const entry = { file, index: numbers++, row, bar, text, away, done: false };
          away.addEventListener("click", () => { entries = entries.filter((other) => other !== entry); row.remove(); button.focus(); });
          entries.push(entry);
        }
        input.value = "";
      }
      list.replaceChildren(...entries.map((entry) => entry.row));
    };
    form.addEventListener("change", (event) => { if (event.target.type === "file") collect(); });
    const told = (entry, ok, text) => {
      entry.done = ok;
      entry.row.className = ok ? "done" : "failed";
      entry.bar.hidden = !ok;
      entry.away.hidden = ok;
      entry.text.textContent = text;
    };
    // A document has this file already: it can be looked at, and the file kept on purpose or left out.
    const twice = (entry, there) => {
      const link = document.createElement("a");
      link.href = there; link.target = "_blank"; link.rel = "noopener"; link.textContent = form.dataset.uploadOpen;
      const keep = document.createElement("button");
      keep.type = "button"; keep.textContent = form.dataset.uploadKeep;
      keep.setAttribute("aria-label", `${form.dataset.uploadKeep} ${entry.file.name}`);
      keep.addEventListener("click", async () => {
        entry.again = true;
        await send(entry);
        button.focus();
        if (entries.every((other) => other.done)) location.assign(form.action);
      });
      entry.text.append(" ", link, " ", keep);
    };
    const send = (entry) => new Promise((resolve) => {
      if (entry.file.size > Number(form.dataset.uploadMax)) {
        told(entry, false, words(form.dataset.uploadLarge, { size: (entry.file.size / 1048576).toFixed(1) }));
        resolve();
        return;
      }
      // The fields come before the file; the index makes the same file the same write.
      const data = new FormData();
      for (const [key, value] of new FormData(form)) if (key !== "file") data.append(key, value);
      data.append("index", entry.index);
      if (entry.again) data.set("keepDuplicate", "1");
      data.append("file", entry.file);
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      request.setRequestHeader("X-Fragment", "upload");
      request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) entry.bar.value = Math.round(event.loaded / event.total * 100); });
      request.addEventListener("load", () => {
        // What a proxy on the way answers is a page, not a line for people.
        const line = request.getResponseHeader("Content-Type")?.startsWith("text/plain") ? request.responseText : form.dataset.uploadFailed;
        told(entry, request.status < 300, request.status < 300 ? form.dataset.uploadDone : request.status === 401 ? form.dataset.uploadSession : line);
        const there = request.getResponseHeader("X-There");
        if (request.status === 409 && there) twice(entry, there);
        resolve();
      });
      request.addEventListener("error", () => { told(entry, false, form.dataset.uploadLost); resolve(); });
      entry.row.className = ""; entry.bar.hidden = false; entry.away.hidden = true; entry.bar.value = 0; entry.text.textContent = "";
      request.send(data);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      if (button.disabled) return;
      collect();
      if (entries.length === 0) { list.textContent = form.dataset.uploadNone; return; }
      button.disabled = true;
      for (const entry of entries) if (!entry.done) await send(entry);
      button.disabled = false;
      if (entries.every((entry) => entry.done)) location.assign(form.action);
    });
  }
})();
