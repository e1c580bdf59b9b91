// The script of every page; write.js helps who writes, desk.js the desk, live.js shows what happens elsewhere, keep.js keeps what is typed. Every page works
// without them but for live updates, drafts kept in the browser and the pickers' suggestions.
"use strict";
(() => {
  const body = document.body;
  // What only a script can do is shown only with one: [data-script].
  document.documentElement.classList.add("script");
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
  document.addEventListener("swapped", ({ target }) => { target.querySelectorAll("[data-picker]").forEach(bindPicker); tick(); show(); });

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

  // A browser focuses with its first picture: what is refreshed before it would be left without. An address that names a place on the page leads there, and
  // who wrote before the script came writes on.
  if (!location.hash && document.activeElement === body) document.querySelector("[autofocus]")?.focus();
  // What was searched for is selected when one comes back to it: typing, and the next scan, searches for something else.
  const reselect = ({ target }) => { if (target.matches?.("input[type=search][autofocus], .find input[autofocus]") && target.value && target.value === target.defaultValue) target.select(); };
  document.addEventListener("focusin", reselect);
  reselect({ target: document.activeElement });

  // A choice that the page proposes: <button data-choose="kind=EMERGENCY"> makes it, and the choice is then in sight.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-choose]");
    if (!button) return;
    const [name, value] = button.dataset.choose.split("=");
    const field = [...button.form.elements].find((one) => one.name === name && (one.type === "radio" ? one.value === value : [...one.options ?? []].some((option) => option.value === value)));
    if (!field) return;
    if (field.type === "radio") field.checked = true; else field.value = value;
    field.focus();
    for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
  });

  // A choice that another one proposes while nothing is chosen: <select data-preset="kind=EMERGENCY:20">, if it is in the list.
  document.addEventListener("change", (event) => {
    for (const select of event.target.form?.querySelectorAll("select[data-preset]") ?? []) {
      const [name, value, preset] = select.dataset.preset.split(/[=:]/);
      if (select.value || event.target.name !== name || event.target.value !== value || ![...select.options].some((option) => option.value === preset)) continue;
      select.value = preset;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
    // The same for radio buttons, <fieldset data-preset>, until somebody chose one.
    for (const group of event.target.form?.querySelectorAll("fieldset[data-preset]") ?? []) {
      if (group.contains(event.target)) group.dataset.chosen = "1";
      const [name, value, preset] = group.dataset.preset.split(/[=:]/);
      if (group.dataset.chosen || event.target.name !== name) continue;
      for (const radio of group.querySelectorAll("input")) radio.checked = event.target.value === value ? radio.value === preset : radio.defaultChecked;
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
    // A day is chosen within a fold: that and the days stay, the times in it go.
    const clear = (within) => { for (const child of [...within.children]) if (inside && child.contains(from)) { if (child.tagName === "DETAILS") clear(child); } else if (child.tagName !== "SUMMARY") child.remove(); };
    clear(part);
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
  const begin = (within) => { for (const part of within.querySelectorAll("[data-load]")) if (!part.children.length) load(part, null); };
  begin(document);
  document.addEventListener("swapped", ({ target }) => begin(target));

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

  // ---- Examinations: a long list of items is narrowed while typing, <input data-filter="list">; what is ticked stays. ----
  for (const filter of document.querySelectorAll("input[data-filter]")) {
    const list = document.getElementById(filter.dataset.filter);
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().trim();
      for (const item of list.children) item.hidden = words !== "" && !item.dataset.search.includes(words) && !item.querySelector("input[name=item]")?.checked;
    });
    filter.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  }

  // Parts of a long page are open on a wide screen and in print, and folded on a narrow one, but for what was asked for by the address or is wrong.
  const fold = (part) => { if (matchMedia("(max-width: 899px)").matches) for (const one of part.querySelectorAll("details[data-fold]")) one.open = Boolean(one.querySelector("[aria-invalid]")); };
  fold(document);
  document.addEventListener("swapped", ({ target }) => fold(target));
  // What a link of the page leads to is open, whatever it is folded in.
  const unfold = (id) => { for (let at = document.getElementById(id)?.closest("details"); at; at = at.parentElement.closest("details")) at.open = true; };
  const named = (hash) => { try { return decodeURIComponent(hash.slice(1)); } catch { return ""; } };
  const asked = () => unfold(named(location.hash));
  addEventListener("hashchange", asked);
  asked();
  document.addEventListener("click", ({ target }) => { const link = target.closest?.("a[href^='#']"); if (link) unfold(named(link.hash)); });
  let folded = [];
  addEventListener("beforeprint", () => { folded = [...document.querySelectorAll("details[data-fold]:not([open])")]; for (const one of folded) one.open = true; });
  addEventListener("afterprint", () => { for (const one of folded) one.open = false; });
  for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => window.print());
  document.querySelector(".errors")?.focus();
})();
