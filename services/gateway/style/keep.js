// What is typed is kept in this browser until it was sent, and what cannot be sent waits here and goes by itself when the line is back, once.
// Everything kept is sealed (AES-GCM) with keys that the server gives to the signed-in account with each page and that this script never
// writes down: after a sign-out, or to another account, what may be left on the disk is unreadable. Runs after app.js, whose parts listen for "draft".
"use strict";
(() => {
  // Releases before this one kept drafts in the clear.
  for (const name of Object.keys(localStorage)) if (name.startsWith("draft:")) localStorage.removeItem(name);
  const { account } = document.body.dataset;
  const line = document.getElementById("line");
  // Without TLS, and away from the machine itself, a browser has no cipher: then nothing is kept.
  if (!account || !line || !window.crypto?.subtle || !window.indexedDB || !navigator.locks) return;
  const says = line.dataset;
  const words = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
  const day = 86400e3;
  // Ages go by the server's clock: the one of an old PC may be years off. The page was made at data-now.
  const made = Number(document.body.dataset.now);
  const now = () => made + performance.now();
  const within = (ms) => AbortSignal.timeout?.(ms);
  // The server knows a request for 35 days: what is older could be written twice, and a person decides.
  const limits = { draft: 3 * day, send: 35 * day }, sendable = 30 * day;

  // ---- The sealed store: [account, kind, name] → { at, iv, sealed }. A write is on the disk when it is done. ----
  let closed = false;
  const keys = Promise.all(document.body.dataset.keep.split(" ").map((text) =>
    crypto.subtle.importKey("raw", Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), "AES-GCM", false, ["encrypt", "decrypt"])));
  delete document.body.dataset.keep;
  const opened = new Promise((resolve, reject) => {
    const asked = indexedDB.open("tongzhen", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("kept");
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  opened.catch(() => {});
  const store = async (mode, act) => {
    const db = await opened;
    return new Promise((resolve, reject) => {
      const tx = db.transaction("kept", mode, { durability: "strict" });
      const asked = act(tx.objectStore("kept"));
      tx.oncomplete = () => resolve(asked?.result);
      tx.onabort = tx.onerror = () => reject(tx.error);
    });
  };
  const bound = (kind, name) => new TextEncoder().encode(`${account}/${kind}/${name}`);
  const put = async (kind, name, value) => {
    if (closed) throw new Error("signed out");
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const plain = new TextEncoder().encode(JSON.stringify(value));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: bound(kind, name) }, (await keys)[0], plain);
    if (closed) throw new Error("signed out");
    await store("readwrite", (kept) => kept.put({ at: value.at, iv, sealed }, [account, kind, name]));
  };
  const drop = (kind, name) => store("readwrite", (kept) => kept.delete([account, kind, name]));
  const get = async (kind, name) => {
    const row = await store("readonly", (kept) => kept.get([account, kind, name]));
    if (!row) return undefined;
    for (const key of await keys) {
      try {
        return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv: row.iv, additionalData: bound(kind, name) }, key, row.sealed)));
      } catch { /* another key */ }
    }
    // Sealed with a key that there is no more, or that this page does not know yet. What was to be sent is not thrown away: somebody was told that it goes.
    if (kind === "send") return { state: "locked", at: row.at };
    await drop(kind, name);
    return undefined;
  };
  const names = async () => (await store("readonly", (kept) => kept.getAllKeys(IDBKeyRange.bound([account, "send"], [account, "send", []])))).map((key) => key[2]);
  const entries = async () => {
    const all = await Promise.all((await names()).map(async (name) => [name, await get("send", name)]));
    return all.filter(([, entry]) => entry).sort((a, b) => a[1].at - b[1].at);
  };
  // What nobody came back for goes, whoever wrote it.
  const tidy = () => store("readwrite", (kept) => {
    kept.openCursor().onsuccess = ({ target: { result: at } }) => {
      if (!at) return;
      if (now() - at.value.at > limits[at.key[1]]) at.delete();
      at.continue();
    };
  });
  // One after the other, so that a draft is not written after it was taken away.
  let chain = Promise.resolve();
  // <html data-kept="ready">: what was typed is on the disk.
  const page = document.documentElement.dataset;
  const inTurn = (act) => {
    page.kept = "busy";
    const mine = chain = chain.then(act).catch(() => {}).then(() => { if (mine === chain && restored) page.kept = "ready"; });
    return mine;
  };
  let restored = false;

  // ---- Drafts: <form data-draft="key"> is kept until it was sent or thrown away. The server's values win after a refusal. ----
  const skip = new Set(["requestId", "holdKey", "stored", "password", "do"]);
  const gathered = (pairs) => {
    const values = {};
    for (const [name, value] of pairs) if (!skip.has(name) && typeof value === "string") (values[name] ||= []).push(value);
    return values;
  };
  const touched = new WeakSet();
  const keep = ({ target }) => {
    const form = target.closest?.("form[data-draft]");
    if (!form || restoring) return;
    touched.add(form);
    const draft = { at: now(), values: gathered(new FormData(form)), request: form.dataset.request };
    inTurn(() => put("draft", form.dataset.draft, draft)); // storage full or off: the form itself still holds everything
  };
  let restoring = false;
  const refill = (form, kept) => {
    // A form that tells what its fields said at first comes back upon the version on which it was written, and so does a field that says so (data-rests): the
    // server then shows what has changed since.
    const rests = kept.values.version && form.querySelector('[name^="was."]');
    restoring = true;
    try {
      for (const [name, values] of Object.entries(kept.values)) {
        form.querySelectorAll(`[name="${CSS.escape(name)}"]`).forEach((field, i) => {
          if (field.type === "hidden") { if ("rests" in field.dataset || rests && (name === "version" || name.startsWith("was."))) field.value = values[0]; return; } // chips are made anew by their picker
          if (field.type === "radio") field.checked ||= values.includes(field.value); // what is not offered any more cannot be chosen again
          else if (field.type === "checkbox") field.checked = values.includes(field.value);
          else if (i < values.length) field.value = values[i];
        });
      }
      // It may have reached the server once: under the same request it cannot become two.
      if (kept.request) form.dataset.request = form.elements.requestId.value = kept.request;
      form.dispatchEvent(new CustomEvent("draft", { detail: kept.values }));
    } finally { restoring = false; }
  };
  const restore = async (form) => {
    const kept = await get("draft", form.dataset.draft);
    if (!kept || now() - kept.at > limits.draft || touched.has(form)) return;
    refill(form, kept);
    form.querySelector("[data-draft-note]")?.removeAttribute("hidden");
    form.closest("details")?.setAttribute("open", "");
  };
  for (const type of ["input", "change", "picked"]) document.addEventListener(type, keep);
  // A referral that was opened without leaving the page brings its forms.
  const restoreAll = async (part) => { for (const form of part.querySelectorAll("form[data-draft]")) if (!form.dataset.refused) await restore(form); };
  document.addEventListener("swapped", ({ target }) => restoreAll(target).catch(() => {}));
  document.addEventListener("click", ({ target }) => {
    const form = target.closest?.("[data-draft-drop]")?.form;
    if (form) inTurn(() => drop("draft", form.dataset.draft)).then(() => location.reload());
  });

  // ---- Sending: <form data-later="what it is called" data-page="where it is shown, if not at its action">. ----
  // The answer to a kept form carries X-Kept; what comes without it is not from the server but from something on the way.
  const post = async (entry) => {
    if (!navigator.onLine) return { state: "waiting", why: "line" };
    let answer;
    try {
      answer = await fetch(entry.action, {
        method: "POST", body: new URLSearchParams(entry.values), headers: { "X-Kept": account }, credentials: "same-origin", redirect: "manual", signal: within(60e3),
      });
    } catch { return { state: "waiting", why: "line" }; }
    if (!answer.headers.get("X-Kept")) return { state: "waiting", why: answer.status >= 500 ? "server" : "line" };
    if (answer.status === 204) return { state: "sent", there: answer.headers.get("X-There"), number: answer.headers.get("X-Number") ?? "" };
    if (answer.status === 401) return { state: "waiting", why: "signIn" };
    if (answer.status === 429 || answer.status >= 500) return { state: "waiting", why: "server" };
    const body = await answer.text().catch(() => "");
    if (!body) return { state: "waiting", why: "line" };
    const refusal = new DOMParser().parseFromString(body, "text/html");
    const wrong = [...refusal.querySelectorAll("main .errors li")];
    const told = wrong.length ? wrong : [...refusal.querySelectorAll("main [role=alert], main .errors, main h1 + p")].slice(0, 1);
    return { state: "refused", text: told.map((part) => part.textContent.trim().replace(/\s+/g, " ")).join(" "), refusal: refusal.querySelector("main") ? refusal : undefined };
  };
  // One tab sends at a time, and looks again when it is its turn: what another one sent is not sent again.
  const deliver = (name) => navigator.locks.request(`tongzhen send ${account}`, async () => {
    const entry = await get("send", name);
    if (!entry || entry.state !== "waiting" || closed) return entry;
    const { refusal, ...outcome } = now() - entry.at > sendable ? { state: "refused", text: says.old } : await post(entry);
    const next = { ...entry, ...outcome };
    if (outcome.state === "refused") await put("draft", entry.draft, { at: now(), values: gathered(entry.values) });
    await put("send", name, next);
    return { ...next, refusal };
  });
  let timer, pause = 5e3, flushing = false;
  const flush = async () => {
    if (flushing || closed) return;
    flushing = true;
    clearTimeout(timer);
    try {
      for (const [name, before] of await entries()) {
        if (before.state !== "waiting") continue;
        const after = await deliver(name);
        const form = document.querySelector(`form[data-later] [name="requestId"][value="${CSS.escape(name)}"]`)?.form;
        if (form?.dataset.sent && after?.state === "sent") { await done(name, after); return; }
        if (form?.dataset.sent && after?.state === "refused") {
          if (after.refusal) { await refused(name, form, after.refusal); return; }
          free(form);
        }
        // A form on which the server fails does not hold up those behind it.
        if (after?.state === "waiting" && after.why !== "server") break;
      }
    } catch { /* the next turn tries again */ } finally { flushing = false; }
    await show();
  };
  const done = async (name, entry) => { await drop("send", name); await inTurn(() => drop("draft", entry.draft)); location.assign(entry.there); };
  // A refusal is an answer, and is not asked for once more: its page takes the place of the one that was sent, with everything that was typed. What the
  // scripts write into stays. What was typed while it was on its way, which may be long without a line, is not in that page: it is put into it.
  const refused = async (name, form, { title, body }) => {
    const sent = gathered((await get("send", name))?.values ?? []);
    await drop("send", name);
    await inTurn(() => {}); // what is typed into other forms of the page is on the disk
    const typed = gathered(new FormData(form)), { draft } = form.dataset;
    const since = Object.keys({ ...sent, ...typed }).some((one) => String(sent[one] ?? "") !== String(typed[one] ?? ""));
    const main = document.getElementById("main"), frame = ".offline, #news, #again, #line";
    const parts = (of) => [...of.children];
    main.replaceChildren(...parts(main).filter((part) => part.matches(frame)), ...parts(body.querySelector("main")).filter((part) => !part.matches(frame)));
    document.title = title;
    main.dispatchEvent(new Event("swapped", { bubbles: true }));
    const next = since && [...main.querySelectorAll("form[data-draft]")].find((one) => one.dataset.draft === draft);
    if (next) {
      // The version is the refusal's own.
      refill(next, { values: Object.fromEntries(Object.entries(typed).filter(([one]) => one !== "version" && !one.startsWith("was."))) });
      next.dispatchEvent(new Event("input", { bubbles: true }));
    }
    scrollTo(0, 0);
    main.querySelector(".errors")?.focus();
    await show();
  };
  // The plain way of the browser, where nothing can be kept.
  const free = (form) => { delete form.dataset.sent; for (const button of form.querySelectorAll("button")) button.disabled = false; };
  const again = (form) => {
    free(form);
    form.dataset.plain = "1";
    form.requestSubmit([...form.querySelectorAll("button[name=do]")].find((button) => button.value === form.dataset.chosen));
  };
  // What a form lacks is said before it waits for a line, as far as the page knows: fields that are required, <… data-need="field other"> (one of these),
  // and what a template left to complete (<form data-choices>). The server judges it again.
  const lacking = (form) => {
    const has = (name) => [...form.elements].some((field) => field.name === name && !field.disabled && (!/^(radio|checkbox)$/.test(field.type) || field.checked) && field.value.trim());
    const left = (text) => text.includes("____") || (text.match(/【[^】]*】/g) ?? []).some((choice) => form.dataset.choices?.includes(choice));
    return [...form.querySelectorAll("[required], [data-need], textarea, input[type=text]")].flatMap((part) => {
      if (part.disabled || part.closest("[hidden]")) return [];
      const needed = part.dataset.need?.split(" ") ?? (part.required ? [part.name] : []);
      const choice = part.tagName === "SELECT" || part.querySelector?.("select, input[type=radio], [data-picker]");
      const text = needed.length && !needed.some(has) ? (choice ? says.choose : says.need) : left(part.value ?? "") ? says.left : "";
      const label = part.labels?.[0] ?? part.querySelector("legend, label");
      return text ? [{ part, text: words(text, { name: (label?.innerText ?? "").replace("*", "").trim() }) }] : [];
    });
  };
  const tell = (form, wrong) => {
    form.querySelector(":scope > .errors")?.remove();
    for (const part of form.querySelectorAll(".wrong[data-lacks]")) { part.classList.remove("wrong"); delete part.dataset.lacks; }
    if (!wrong.length) return;
    const box = document.createElement("div");
    box.className = "errors"; box.tabIndex = -1; box.setAttribute("role", "alert");
    const title = document.createElement("h2"), list = document.createElement("ul");
    title.textContent = says.wrong;
    for (const { part, text } of wrong) {
      const item = document.createElement("li");
      item.append(link(text, `#${(part.id ? part : part.querySelector("[id]")).id}`));
      list.append(item);
      const field = part.closest(".field") ?? part;
      field.classList.add("wrong"); field.dataset.lacks = "1";
    }
    box.append(title, list);
    form.prepend(box);
    box.focus();
  };
  // What waits is a draft again, unless it was sent meanwhile. It may have reached the server: it keeps its request.
  const unsend = (name) => navigator.locks.request(`tongzhen send ${account}`, async () => {
    const entry = await get("send", name);
    if (entry?.state !== "waiting") return;
    await put("draft", entry.draft, { at: now(), values: gathered(entry.values), request: name });
    await drop("send", name);
  });
  const send = async (form) => {
    const name = form.elements.requestId.value;
    const wrong = form.dataset.chosen === "draft" ? [] : lacking(form);
    tell(form, navigator.onLine ? [] : wrong);
    if (wrong.length && !navigator.onLine) return;
    const values = [...new FormData(form)];
    if (form.dataset.chosen) values.push(["do", form.dataset.chosen]);
    const action = form.getAttribute("action");
    const entry = { at: now(), state: "waiting", why: "line", action, page: form.dataset.page ?? action, draft: form.dataset.draft, label: form.dataset.later, values };
    form.dataset.sent = "1";
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    try { await put("send", name, entry); } catch { again(form); return; }
    await inTurn(() => drop("draft", entry.draft));
    const after = await deliver(name);
    if (after?.state === "sent") await done(name, after);
    else if (after?.state === "refused" && after.refusal) await refused(name, form, after.refusal);
    else if (wrong.length && after?.why !== "signIn") { await unsend(name); free(form); await show(); tell(form, wrong); }
    else { if (after?.state === "refused") free(form); await show(); line.scrollIntoView({ block: "nearest" }); }
  };

  // ---- The line at the top: online or not, what waits, what was sent, what was refused. ----
  const button = (text, act) => { const b = document.createElement("button"); b.type = "button"; b.className = "plain"; b.textContent = text; b.addEventListener("click", act); return b; };
  const link = (text, href) => { const a = document.createElement("a"); a.href = href; a.textContent = text; return a; };
  const takeBack = async (name, entry) => {
    await unsend(name);
    location.assign(entry.page);
  };
  const show = async () => {
    const all = await entries();
    const waiting = all.filter(([, entry]) => entry.state === "waiting").length;
    const items = all.map(([name, entry]) => {
      const item = document.createElement("li");
      const text = document.createElement("strong");
      item.className = entry.state;
      item.append(entry.label ? `${entry.label}：` : "", text, " ");
      if (entry.state === "waiting") {
        text.textContent = { line: says.waiting, server: says.server, signIn: says.signIn }[entry.why];
        if (entry.why === "signIn") item.append(link(says.toSignIn, `/sign-in?back=${encodeURIComponent(location.pathname + location.search)}`), " ");
        item.append(button(says.back, () => takeBack(name, entry)));
      } else if (entry.state === "locked") {
        text.textContent = says.locked;
        item.append(button(says.away, async () => { await drop("send", name); show(); }));
      } else if (entry.state === "sent") {
        text.textContent = words(entry.number ? says.sent : says.sentPlain, entry);
        item.append(link(says.open, entry.there), " ", button(says.away, async () => { await drop("send", name); show(); }));
      } else {
        text.textContent = words(says.notSent, entry);
        item.append(link(says.mend, entry.page), " ", button(says.away, async () => { await drop("send", name); show(); }));
      }
      return item;
    });
    const state = document.createElement("p");
    state.textContent = (navigator.onLine ? says.up : says.offline) + (waiting ? ` · ${words(says.count, { n: waiting })} · ${says.emergency}` : "");
    const list = document.createElement("ul");
    list.append(...items);
    line.replaceChildren(state, ...(items.length ? [list] : []));
    line.className = `line ${!navigator.onLine || waiting ? "waits" : all.some(([, entry]) => entry.state === "refused" || entry.state === "locked") ? "failed" : "fine"}`;
    line.hidden = items.length === 0 && navigator.onLine && !document.querySelector("form[data-later]");
    clearTimeout(timer);
    if (!waiting) { pause = 5e3; return; }
    timer = setTimeout(flush, pause);
    pause = Math.min(pause * 2, 60e3);
  };
  addEventListener("online", () => { pause = 5e3; show().then(flush); });
  addEventListener("offline", () => { show(); });

  // Capturing, before app.js sees them: what is sent from here, and who signs out.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.dataset.plain) return;
    if (form.getAttribute("action") === "/sign-out") {
      event.preventDefault(); event.stopPropagation();
      const waiting = (await entries().catch(() => [])).filter(([, entry]) => entry.state === "waiting").length;
      if (waiting && !confirm(words(says.leave, { n: waiting }))) return;
      // Who is still signed in keeps what was written. What is left when only the answer was lost is sealed, and its key gone with the session.
      const answer = await fetch("/sign-out", { method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin", redirect: "manual", signal: within(15e3) }).catch(() => undefined);
      if (answer?.type !== "opaqueredirect") {
        await show().catch(() => {});
        const stays = document.createElement("p");
        stays.className = "stays"; stays.setAttribute("role", "alert"); stays.textContent = says.stays;
        line.prepend(stays);
        line.hidden = false;
        line.classList.add("failed");
        line.scrollIntoView({ block: "nearest" });
        return;
      }
      // PCs in clinics are shared: who signs out leaves nothing behind. (A session that ran out keeps what it wrote, sealed.)
      closed = true;
      others.postMessage(account);
      await chain;
      await store("readwrite", (kept) => kept.delete(IDBKeyRange.bound([account], [account, []]))).catch(() => {});
      location.assign("/sign-in");
      return;
    }
    if (!("later" in form.dataset)) return;
    event.preventDefault(); event.stopPropagation();
    const ask = event.submitter?.dataset.confirm ?? form.dataset.confirm;
    if (form.dataset.sent || (ask && !confirm(ask))) return;
    form.dataset.chosen = event.submitter?.name === "do" ? event.submitter.value : "";
    send(form).catch(() => again(form));
  }, true);
  const others = new BroadcastChannel("tongzhen signed out");
  others.addEventListener("message", ({ data }) => { if (data === account) closed = true; });

  (async () => {
    await tidy();
    for (const { dataset } of document.querySelectorAll("[data-draft-done]")) {
      await inTurn(() => drop("draft", dataset.draftDone));
      for (const [name, entry] of await entries()) if (entry.state === "refused" && entry.draft === dataset.draftDone) await drop("send", name);
    }
    await restoreAll(document);
    restored = true;
    await inTurn(() => {});
    await show();
    await flush();
  })().catch(() => {});
})();
