// The script of the pages; live.js shows what happens elsewhere, keep.js keeps what is typed. Every page works without them but for live updates, drafts kept in the browser and the pickers' suggestions.
"use strict";
(() => {
  const body = document.body;
  // Safari 15 has no requestSubmit.
  HTMLFormElement.prototype.requestSubmit ??= function (button) { (button ?? this.querySelector("button:not([type=button])"))?.click(); };
  const words = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));

  // Running clocks: <time class="clock" datetime="…">.
  const span = (ms) => {
    const minutes = Math.floor(ms / 60000);
    if (minutes < 60) return words(body.dataset.minutes, { n: minutes });
    if (minutes < 48 * 60) return words(body.dataset.hours, { h: Math.floor(minutes / 60), m: minutes % 60 });
    return words(body.dataset.days, { n: Math.floor(minutes / 1440) });
  };
  const tick = () => {
    for (const clock of document.querySelectorAll("time.clock")) {
      const left = new Date(clock.dateTime) - Date.now();
      const text = words(left < 0 ? body.dataset.over : body.dataset.left, { span: span(Math.abs(left)) });
      if (clock.textContent !== text) clock.textContent = text;
      clock.classList.toggle("over", left < 0);
      clock.classList.toggle("soon", left >= 0 && left < 30 * 60000);
    }
  };
  setInterval(tick, 1000 * 10);
  document.addEventListener("refreshed", () => { tick(); show(); });

  // The page of the REST interface: each form is sent as the call it describes, with the secret that was pasted.
  for (const form of document.querySelectorAll("form[data-api]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      const { api, method } = form.dataset;
      const query = new URLSearchParams();
      let path = api, sent;
      for (const field of form.querySelectorAll("[data-in]")) {
        if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
        else if (field.dataset.in === "body") sent = field.value;
        else if (field.value) query.append(field.name, field.value);
      }
      const headers = { Authorization: `Bearer ${document.getElementById("api-secret").value.trim()}` };
      if (sent !== undefined) headers["Content-Type"] = "application/json";
      const shown = form.querySelector("pre");
      shown.hidden = false;
      try {
        const answer = await fetch(`${path}${query.toString() && `?${query}`}`, { method, headers, body: sent, credentials: "omit" });
        const text = await answer.text();
        let body = text;
        try { body = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: as it is */ }
        shown.textContent = `${answer.status} ${answer.statusText}\n${body}`;
      } catch (error) { shown.textContent = String(error); }
    });
  }

  // One click, one request: a form that was sent cannot be sent again while it is on its way.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) { event.preventDefault(); return; }
    const ask = event.submitter?.dataset.confirm ?? form.dataset.confirm;
    // What lacks something is refused anyway: nobody is asked twice.
    const whole = [...form.elements].every((field) => !field.required || field.value.trim() !== "");
    if (ask && whole && !confirm(ask)) { event.preventDefault(); return; }
    if (form.method !== "post") return;
    form.dataset.sent = "1";
    setTimeout(() => { for (const button of form.querySelectorAll("button:not([type=button])")) { button.disabled = true; } }, 0);
    setTimeout(() => { delete form.dataset.sent; for (const button of form.querySelectorAll("button")) button.disabled = false; }, 8000);
  });
  addEventListener("pageshow", () => { for (const form of document.querySelectorAll("form[data-sent]")) { delete form.dataset.sent; for (const b of form.querySelectorAll("button")) b.disabled = false; } });

  // Parts of a form that depend on a choice: <… data-when="kind=EMERGENCY"> (several values: kind=A|B).
  const show = () => {
    for (const part of document.querySelectorAll("[data-when]")) {
      const [name, values] = part.dataset.when.split("=");
      const form = part.closest("form");
      const chosen = form?.querySelector(`[name="${name}"]:checked, select[name="${name}"]`)?.value ?? "";
      const on = values.split("|").includes(chosen);
      part.hidden = !on;
      for (const field of part.querySelectorAll("input, select, textarea")) field.disabled = !on;
    }
  };
  document.addEventListener("change", show);
  document.addEventListener("draft", show, true);
  show();

  // A choice that another one proposes while nothing is chosen: <select data-preset="kind=EMERGENCY:20">, if it is in the list.
  document.addEventListener("change", (event) => {
    for (const select of event.target.form?.querySelectorAll("select[data-preset]") ?? []) {
      const [name, value, preset] = select.dataset.preset.split(/[=:]/);
      if (select.value || event.target.name !== name || event.target.value !== value || ![...select.options].some((option) => option.value === preset)) continue;
      select.value = preset;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });

  // Dependent fragments: <div data-load="/refer/slots" data-load-from="department kind day" data-load-with="slot" data-load-keep="…"> is fetched with the named fields
  // when one of the first changes. What it shows belongs to what was chosen before: it goes at once, with the fields in it, but for the group in which the choice
  // was made; those of data-load-with are sent only then, those of data-load-keep always. An answer that is not the newest is dropped.
  const turns = new WeakMap();
  const loads = (name) => (part) => part.dataset.loadFrom.split(" ").includes(name);
  const load = async (part, from, kept) => {
    const typed = new FormData(part.closest("form"));
    const inside = part.contains(from);
    const query = new URLSearchParams();
    const set = (names, all) => {
      for (const name of names?.split(" ") ?? []) {
        const value = ((all || inside || !part.querySelector(`[name="${name}"]`)) && typed.get(name)) || kept?.[name]?.[0] || "";
        if (value || names === part.dataset.loadFrom) query.set(name, value);
      }
    };
    set(part.dataset.loadFrom);
    const asked = query.toString();
    set(part.dataset.loadWith);
    set(part.dataset.loadKeep, true);
    if ((part.dataset.loadKeep ? asked : query.toString()) === part.dataset.loaded) return;
    part.dataset.loaded = part.dataset.loadKeep ? asked : query.toString();
    const turn = (turns.get(part) ?? 0) + 1;
    turns.set(part, turn);
    for (const child of [...part.children]) if (!inside || !child.contains(from)) child.remove();
    part.setAttribute("aria-busy", "true");
    const answer = await fetch(`${part.dataset.load}?${query}`, { headers: { "X-Fragment": part.dataset.loadName ?? "1" }, credentials: "same-origin" }).catch(() => null);
    const html = answer?.ok ? await answer.text().catch(() => null) : null;
    if (turn !== turns.get(part)) return;
    part.removeAttribute("aria-busy");
    if (html === null) {
      delete part.dataset.loaded;
      const [note, again] = [document.createElement("p"), document.createElement("button")];
      note.className = "warning";
      note.setAttribute("role", "alert");
      again.type = "button";
      again.textContent = part.dataset.loadAgain;
      again.addEventListener("click", () => load(part, from, kept ?? Object.fromEntries([...query].map(([name, value]) => [name, [value]]))));
      note.append(`${part.dataset.loadFailed} `, again);
      part.append(note);
      return;
    }
    const focused = part.contains(document.activeElement) ? document.activeElement.name : "";
    part.innerHTML = html;
    if (focused) part.querySelector(`[name="${focused}"]:checked, select[name="${focused}"]`)?.focus();
    show();
    for (const field of part.querySelectorAll("select")) reload(field, kept);
  };
  const reload = (field, kept) => { for (const part of [...field.form?.querySelectorAll("[data-load]") ?? []].filter(loads(field.name))) load(part, field, kept); };
  document.addEventListener("change", (event) => { if (event.target.name) reload(event.target); });
  document.addEventListener("draft", (event) => { for (const part of event.target.querySelectorAll("[data-load]")) load(part, null, event.detail); }, true);
  for (const part of document.querySelectorAll("[data-load]")) if (!part.children.length) load(part, null);

  // Pickers: <div class="picker" data-picker="/refer/diagnoses" data-name="diagnosis"> with an input; each choice becomes a chip with a hidden field.
  const bindPicker = (picker) => {
    const input = picker.querySelector("input[type=search], input[type=text]");
    const chips = picker.parentElement.querySelector(".chips");
    const list = document.createElement("ul");
    list.setAttribute("role", "listbox");
    list.hidden = true;
    picker.append(list);
    list.id = `${input.id}-found`;
    list.setAttribute("aria-label", input.labels?.[0]?.innerText ?? input.ariaLabel ?? "");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    // <… data-picker-all="/refer/diagnoses/all"> is the whole list, which is fetched when the page is at rest and searched when the line is gone.
    let whole = [];
    if (picker.dataset.pickerAll) {
      (window.requestIdleCallback ?? setTimeout)(async () => {
        const answer = await fetch(picker.dataset.pickerAll, { credentials: "same-origin", priority: "low" }).catch(() => undefined);
        if (answer?.ok) whole = (await answer.text().catch(() => "")).trim().split("\n").map((line) => line.split("\t"));
        picker.dataset.whole = whole.length;
      });
    }
    const fits = ([code, display, also = "", related = ""], word) => {
      if (code.toLowerCase().startsWith(word)) return 0;
      if (also.split(" ").includes(word)) return 1;
      if (related.split(" ").includes(word)) return 1.5; // thought of at it, not named by it
      const at = display.indexOf(word);
      if (at === 0) return 2;
      if (at > 0) return /[非未不无]/.test(display.slice(0, at).replace("未特指", "")) ? 9 : 4; // what is ruled out comes last
      return also.split(" ").some((one) => one.startsWith(word) || (/[^a-z]/.test(word) && one.includes(word))) ? 3 : Infinity;
    };
    const search = (query) => {
      const words = query.toLowerCase().split(/\s+/);
      const below = /^([a-z]\d\d)\.[0-9x]{1,3}(x\d{3})?$/.test(query.toLowerCase()) && whole.find(([code]) => code === query.slice(0, 3).toUpperCase());
      if (below) return [{ code: query[0].toUpperCase() + query.slice(1).toLowerCase(), display: below[1], called: below[1] }];
      // What was typed in characters, or what an abbreviation stands for.
      const called = ([, display, also = ""]) => {
        const spoken = also.split(" ").filter((one) => /[^\x00-\x7f]/.test(one));
        return spoken.find((one) => one.startsWith(words[0])) ?? (also.split(" ").includes(words[0]) ? spoken[0] : display);
      };
      return whole.map((one) => [words.reduce((sum, word) => sum + fits(one, word), 0), one]).filter(([way]) => way < Infinity).sort((a, b) => a[0] - b[0])
        .slice(0, 20).map(([, one]) => ({ code: one[0], display: one[1], called: called(one) }));
    };
    let at = -1;
    let moved = false; // the first of what was found is what Enter takes; the first ↓ stays on it
    let timer;
    let answers = ""; // the words that the list answers
    let waits = false; // Enter was pressed before the answer to the words: it takes the first of that, never one of the list before
    const mark = (index) => {
      at = index;
      [...list.children].forEach((item, i) => { item.id = `${list.id}-${i}`; item.setAttribute("aria-selected", String(i === at)); });
      if (list.children[at]) input.setAttribute("aria-activedescendant", list.children[at].id); else input.removeAttribute("aria-activedescendant");
      list.children[at]?.scrollIntoView({ block: "nearest" });
    };
    const close = () => { list.hidden = true; at = -1; waits = false; answers = ""; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
    const choose = (value, label, called) => {
      if (![...chips.querySelectorAll("input")].some((field) => field.value === value)) {
        const chip = document.createElement("li");
        const field = document.createElement("input");
        field.type = "hidden"; field.name = picker.dataset.name; field.value = value;
        if (called) field.dataset.called = called;
        const drop = document.createElement("button");
        drop.type = "button"; drop.className = "plain"; drop.textContent = "×"; drop.setAttribute("aria-label", `× ${label}`);
        drop.addEventListener("click", () => { chip.remove(); picker.dispatchEvent(new CustomEvent("picked", { bubbles: true })); });
        chip.append(label, field, drop);
        chips.append(chip);
      }
      input.value = "";
      close();
      input.focus();
      picker.dispatchEvent(new CustomEvent("picked", { bubbles: true }));
    };
    for (const drop of chips.querySelectorAll("button")) drop.addEventListener("click", () => { drop.closest("li").remove(); picker.dispatchEvent(new CustomEvent("picked", { bubbles: true })); });
    picker.closest("form")?.addEventListener("draft", (event) => { chips.replaceChildren(); for (const value of event.detail[picker.dataset.name] ?? []) choose(value, value.replace("|", " ")); document.activeElement?.blur(); });
    input.addEventListener("input", () => {
      clearTimeout(timer);
      waits = false;
      timer = setTimeout(async () => {
        const query = input.value.trim();
        if (!query) { close(); return; }
        const answered = await fetch(`${picker.dataset.picker}?query=${encodeURIComponent(query)}`, { credentials: "same-origin", signal: whole.length ? AbortSignal.timeout?.(4000) : undefined })
          .then((answer) => (answer.ok ? answer.json() : undefined)).catch(() => undefined);
        if (input.value.trim() !== query) return;
        const found = answered ?? search(query);
        list.replaceChildren(...found.map(({ code, display, called }) => {
          const item = document.createElement("li");
          item.setAttribute("role", "option");
          item.textContent = `${code} ${display}`;
          if (called && !display.includes(called)) { const said = document.createElement("small"); said.textContent = called; item.append(" ", said); }
          item.take = () => choose(`${code}|${display}`, `${code} ${display}`, called);
          item.addEventListener("mousedown", (event) => { event.preventDefault(); item.take(); });
          item.dataset.value = `${code}|${display}`;
          return item;
        }));
        if (!found.length) { const none = document.createElement("li"); none.textContent = (answered || whole.length ? picker.dataset.none : picker.dataset.away) ?? "—"; none.setAttribute("role", "option"); none.setAttribute("aria-disabled", "true"); list.replaceChildren(none); }
        list.hidden = false;
        input.setAttribute("aria-expanded", "true");
        moved = false;
        answers = query;
        mark(found.length ? 0 : -1);
        if (waits) list.children[0].take?.();
      }, 150);
    });
    input.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey) return;
      if (event.key === "Enter") {
        event.preventDefault();
        if (answers === input.value.trim()) list.children[at]?.take?.(); else waits = true;
        return;
      }
      if (list.hidden) return;
      const last = list.children.length - 1;
      if (event.key === "ArrowDown") { mark(Math.min(moved ? at + 1 : at, last)); moved = true; event.preventDefault(); }
      else if (event.key === "ArrowUp") { moved = true; mark(Math.max(at - 1, 0)); event.preventDefault(); }
      else if (event.key === "Escape") close();
    });
    input.addEventListener("blur", close);
  };
  document.querySelectorAll("[data-picker]").forEach(bindPicker);

  // ---- Writing a referral: parts that the server words anew, and lines that are added and taken away. ----

  // What only a script can do is shown only with one: [data-script]. Empty lines beyond the first are for browsers without.
  document.documentElement.classList.add("script");
  const tidy = (part) => { for (const row of part.querySelectorAll("[data-spare]")) row.remove(); };
  tidy(document);

  // Answered parts: <div data-post="/refer/…/criteria" data-post-names="diagnosis kind"> sends its form there when one of these fields or
  // one of its own changes, and shows the answer. An answer to something that was changed since is dropped: the next one is on its way.
  for (const part of document.querySelectorAll("[data-post]")) {
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
      show();
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
  }

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
  for (const form of document.querySelectorAll("form[data-draft]")) {
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
  }

  // What is proposed from a choice, <form data-propose="diagnosis=form.initialImpression">, fills only an empty field and follows the choice until something
  // else is typed: it is selected when the field is gone to, so that typing replaces it. The hidden field "proposed" holds it, also over a refusal and in a draft.
  const proposed = (field) => field.value !== "" && field.form?.dataset.propose?.endsWith(`=${field.name}`) && field.value === field.form.elements.proposed.value;
  for (const form of document.querySelectorAll("form[data-propose]")) {
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
  }
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
  for (const form of document.querySelectorAll("form[data-templates]")) (window.requestIdleCallback ?? setTimeout)(() => textsOf(form));
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
  for (const part of document.querySelectorAll('[data-fragment-name="thread"]')) {
    const last = () => { const list = part.querySelector(".messages"); if (list) list.scrollTop = list.scrollHeight; };
    new MutationObserver(last).observe(part, { childList: true });
    last();
  }
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

  // ---- Examinations: a long list of items is narrowed while typing, <input data-filter="list">; what is ticked stays. ----
  for (const filter of document.querySelectorAll("input[data-filter]")) {
    const list = document.getElementById(filter.dataset.filter);
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().trim();
      for (const item of list.children) item.hidden = words !== "" && !item.dataset.search.includes(words) && !item.querySelector("input[name=item]")?.checked;
    });
    filter.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  }

  for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => window.print());
  // ---- The desk: the open referral beside the queue, keys, what narrows the queue, slips that are scanned. ----
  const beside = () => document.querySelector(".split > .panel");
  let swaps = 0;
  // From 1200 px a referral of the queue is opened without leaving the page, but for one whose forms need the script from the start.
  const swap = async (href, push) => {
    const turn = ++swaps;
    body.dispatchEvent(new Event("leaving", { bubbles: true }));
    try {
      const answer = await fetch(href, { headers: { "X-Fragment": "panel" }, credentials: "same-origin" });
      if (!answer.ok) throw new Error();
      const next = document.createElement("div");
      next.innerHTML = await answer.text();
      if (turn !== swaps) return;
      if (next.querySelector("[data-post], [data-upload]")) throw new Error();
      beside().replaceChildren(...next.childNodes);
      beside().querySelectorAll("[data-picker]").forEach(bindPicker);
      beside().dispatchEvent(new Event("swapped", { bubbles: true }));
      if (push) history.pushState(null, "", href);
      const list = document.querySelector(".split > aside");
      const at = new URL(href, location).pathname;
      for (const link of list.querySelectorAll("a")) { if (link.pathname === at) { link.setAttribute("aria-current", "true"); link.scrollIntoView({ block: "nearest" }); } else link.removeAttribute("aria-current"); }
      list.dataset.fragment = list.dataset.fragment.replace(/at=[^&]*/, `at=${at.split("/").pop()}`);
      for (const button of beside().querySelectorAll("[data-keys]")) button.hidden = false;
      tick();
      show();
      scrollTo(0, 0);
      const title = beside().querySelector("h1");
      if (title) { title.tabIndex = -1; title.focus(); }
    } catch { if (turn === swaps) location.assign(href); }
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swap]");
    if (!link || !beside() || event.button || event.ctrlKey || event.metaKey || event.shiftKey || !matchMedia("(min-width: 1200px)").matches) return;
    event.preventDefault();
    swap(link.href, true);
  });
  addEventListener("popstate", () => { if (beside()) swap(location.href, false); });

  // An answer leads to the next patient: a second tap or click that was meant for the one before must not answer for this one. So nothing is accepted
  // at once where the next one has just come, and no key accepts twice within a second, over pages too. Whoever meant it sees why, and presses again.
  let settled = 0;
  const settling = (answered) => {
    settled = performance.now() + (answered ? 1000 : 400);
    body.dataset.settling = "";
    setTimeout(() => { if (performance.now() >= settled - 5) delete body.dataset.settling; }, settled - performance.now());
  };
  const meant = (byKey) => {
    const last = Number(sessionStorage.getItem("accept") ?? 0);
    if (byKey) sessionStorage.setItem("accept", String(Date.now()));
    const good = !("settling" in body.dataset) && !(byKey && Date.now() - last < 1000);
    const note = document.querySelector("[data-keys-wait]");
    if (note) note.hidden = good;
    return good;
  };
  settling(document.querySelector(".flash[data-draft-done]") !== null);
  addEventListener("pageshow", (event) => { if (event.persisted) settling(true); });
  document.addEventListener("swapped", () => settling(false));
  // While the next one is on its way, the one that is still shown is not answered any more.
  const leaving = () => { settled = Infinity; body.dataset.settling = ""; setTimeout(() => { if (settled === Infinity) delete body.dataset.settling; }, 8000); };
  document.addEventListener("leaving", leaving);
  addEventListener("beforeunload", leaving);
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form.suggestion")) return;
    if ("settling" in body.dataset && document.querySelector(".flash[data-draft-done]") && !meant(false)) { event.preventDefault(); event.stopImmediatePropagation(); }
  }, true);

  // Keys: an element with data-key="a" is clicked by it: the one in the row that has the focus, else that of the open referral. They can be turned off.
  const keys = document.getElementById("keys");
  if (keys) {
    const off = `keys:${body.dataset.account}`;
    const on = keys.querySelector("[data-keys-on]");
    on.checked = localStorage.getItem(off) !== "off";
    on.addEventListener("change", () => { if (on.checked) localStorage.removeItem(off); else localStorage.setItem(off, "off"); });
    for (const button of document.querySelectorAll("[data-keys]")) button.hidden = false;
    document.addEventListener("click", (event) => { if (event.target.closest("[data-keys]")) keys.showModal(); });
    const press = (key) => {
      const rows = [...document.querySelectorAll("table.queue tbody tr")];
      const row = document.activeElement.closest("table.queue tbody tr");
      const open = (to) => to?.querySelector("a[href]")?.focus();
      if (key === "?") { keys.showModal(); return true; }
      if (rows.length && key === "j") { open(rows[row ? Math.min(rows.indexOf(row) + 1, rows.length - 1) : 0]); return true; }
      if (rows.length && key === "k") { open(rows[row ? Math.max(rows.indexOf(row) - 1, 0) : 0]); return true; }
      if (rows.length && key === "n") { rows[0].querySelector("a[href]").click(); return true; }
      const within = row ?? (rows.length && key !== "/" ? null : document);
      const found = within?.querySelector(`[data-key~="${key}"]`);
      // What needs words is answered on the referral's own page.
      if (!found && row && "rd".includes(key)) { location.assign(`${row.querySelector("a[href]").href}#key-${key}`); return true; }
      if (!found && key === "/") { document.querySelector('[data-key="/"]')?.click() ?? location.assign("/desk/arrivals"); return true; }
      if (!found) return false;
      if (key === "a" && !meant(true)) return true;
      found.click();
      if (found.tagName === "SUMMARY") found.parentElement.querySelector("select, textarea, input:not([type=hidden])")?.focus();
      return true;
    };
    document.addEventListener("keydown", (event) => {
      if (!on.checked || keys.open || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && !"jk".includes(event.key)) return;
      if (event.key.length !== 1 || !"jkardnu/?".includes(event.key) || event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
      if (press(event.key)) event.preventDefault();
    });
    if (/^#key-[rd]$/.test(location.hash)) press(location.hash.slice(-1));
  }
  for (const form of document.querySelectorAll("form[data-narrow]")) form.addEventListener("change", () => form.requestSubmit());

  // What reads the code that a camera sees: the browser where it can, else whoever answers pictures posted to where, small and grey, of all that is seen and
  // of its middle in turn. Answers the text, "" for none.
  const codeReader = async (where) => {
    const formats = await window.BarcodeDetector?.getSupportedFormats().catch(() => []);
    let detector = formats?.includes("qr_code") ? new BarcodeDetector({ formats: ["qr_code"] }) : null;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 640;
    const pen = canvas.getContext("2d");
    pen.filter = "grayscale(1)";
    let turn = 0;
    return async (video) => {
      if (detector) {
        try { return (await detector.detect(video))[0]?.rawValue ?? ""; } catch { detector = null; }
      }
      const side = Math.min(video.videoWidth, video.videoHeight) / (1 + turn++ % 2);
      pen.drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, 640, 640);
      const picture = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.6));
      const answer = await fetch(where, { method: "POST", body: picture, headers: { "X-Fragment": "1", "X-Account": body.dataset.account }, credentials: "same-origin" });
      if (!answer.ok) throw new Error();
      return answer.text();
    };
  };
  // A slip's code is read by the camera into a field, <button data-scan="field" data-scan-read="where">; what went wrong is said by data-scan-… of its name.
  for (const button of document.querySelectorAll("[data-scan]")) {
    const [field, texts] = [document.getElementById(button.dataset.scan), button.dataset];
    const [note, video] = [field.form.querySelector("[data-scan-note]"), field.form.querySelector("video")];
    let run = null;
    const say = (text) => { if (note.textContent !== text) note.textContent = text; };
    const stop = (text) => {
      for (const track of video.srcObject?.getTracks() ?? []) track.stop();
      video.srcObject = run = null;
      video.hidden = true;
      button.setAttribute("aria-pressed", "false");
      say(text);
      if (text) field.focus();
    };
    const scan = async () => {
      const mine = run = { since: Date.now() };
      button.setAttribute("aria-pressed", "true");
      try {
        const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } } });
        if (run !== mine) { for (const track of stream.getTracks()) track.stop(); return; }
        video.srcObject = stream;
        video.hidden = false;
        await video.play();
        say(texts.scanAim);
        const read = await codeReader(texts.scanRead);
        while (run === mine) {
          const pause = new Promise((done) => setTimeout(done, 350));
          const code = await read(video).catch(() => null);
          if (run !== mine) return;
          const lasted = Date.now() - mine.since;
          if (code) { field.value = code; stop(""); field.form.requestSubmit(); return; }
          if (lasted > 60000) { stop(texts.scanNothing); return; }
          say(code === null ? texts.scanAway : lasted > 20000 ? texts.scanNothing : texts.scanAim);
          await pause;
        }
      } catch (error) { if (run === mine) stop(texts[`scan${error.name}`] ?? texts.scanFailed); }
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      if (run) stop("");
      else if (!window.isSecureContext) stop(texts.scanInsecure);
      else if (!navigator.mediaDevices) stop(texts.scanNone);
      else scan();
    });
    addEventListener("pagehide", () => stop(""));
  }

  document.querySelector(".errors")?.focus();
})();
