// What happens elsewhere, on the open page: parts that are fetched again, counts, the alarm's sound and title. Without it a page shows what it showed when it was drawn.
"use strict";
(() => {
  const body = document.body;
  const words = (text, values) => text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));

  const shared = body.dataset.live && navigator.locks && window.BroadcastChannel ? new BroadcastChannel(`tongzhen live ${body.dataset.account}`) : undefined;

  // What answers with one click may come to stand under a pointer that was meant for another: once any of it has moved, or says something else, a click of
  // a pointer answers nothing for a second, and the page says so. Keys are not meant for a place: the focus stays with its row.
  const oneClick = ".suggestion button, td form button";
  const stand = () => [...document.querySelectorAll(oneClick)].map((button) => {
    const { left, top } = button.getBoundingClientRect();
    return [button.form?.getAttribute("action"), button.textContent, Math.round(left), Math.round(top)].join(" ");
  });
  let moved = -Infinity;
  const moving = (change) => {
    const before = stand();
    change();
    if (!before.length) return;
    const after = new Set(stand());
    if (before.some((one) => !after.has(one))) moved = performance.now();
  };
  const again = document.getElementById("again");
  let shown;
  addEventListener("click", (event) => {
    if (!event.detail || performance.now() - moved > 1000 || !event.target.closest?.(oneClick)) return;
    event.preventDefault();
    event.stopPropagation();
    again.textContent = again.dataset.text;
    clearTimeout(shown);
    shown = setTimeout(() => { again.textContent = ""; }, 4000);
  }, true);

  // Sounds are made here so that nothing has to be loaded. A browser plays none before the first key or click on a page: until then an alarm says so,
  // and it sounds with that click. data-heard counts the sounds.
  let audio;
  let owed; // the sound that could not be played yet
  let blocked = false, asked; // the browser was asked for sound and gives none: one that allows it takes a moment, too
  const patience = 1000;
  const sound = (tones) => {
    if (!("AudioContext" in window)) return;
    audio ??= new AudioContext();
    if (audio.state !== "running") { owed ??= tones; audio.resume().then(settle); asked ??= setTimeout(() => { blocked = audio.state !== "running"; hint(); }, patience); return; }
    tones.forEach((frequency, i) => {
      const tone = audio.createOscillator();
      tone.frequency.value = frequency;
      tone.connect(audio.destination);
      tone.start(audio.currentTime + i * 0.35);
      tone.stop(audio.currentTime + i * 0.35 + 0.25);
    });
    body.dataset.heard = Number(body.dataset.heard ?? 0) + 1;
  };
  const settle = () => {
    const tones = owed;
    clearTimeout(asked);
    [owed, asked, blocked] = [undefined, undefined, false];
    hint();
    // What was taken on meanwhile is silent.
    if (tones && (tones !== emergency || document.querySelector(".EMERGENCY.arrived, .alarms .alarm"))) sound(tones);
  };
  const hint = () => moving(() => {
    const banner = document.querySelector(".alarms");
    banner?.querySelector(".silent")?.remove();
    if (!blocked || !banner?.querySelector(".alarm")) return;
    const line = document.createElement("p");
    line.className = "silent";
    line.textContent = body.dataset.silent;
    banner.append(line);
  });
  for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, () => { if (audio?.state === "suspended") audio.resume().then(settle); }, { capture: true });
  const emergency = [880, 660, 880], urgent = [660];
  const alarm = () => sound(emergency);

  // While an emergency rings at the visitor the title of the page says so. Each ring sounds, as a row that arrived, until somebody acknowledges.
  const badge = () => {
    const mark = body.dataset.alarm;
    const plain = document.title.startsWith(mark) ? document.title.slice(mark.length) : document.title;
    document.title = document.querySelector(".alarms[data-fragment] .alarm") ? mark + plain : plain;
  };
  if (document.querySelector(".alarms[data-fragment] .alarm")) alarm();
  badge();

  // Live parts (no attribute begins with data-on: html/template takes those for event handlers): <section data-fragment="/desk" data-fragment-name="queue" data-kinds="referral"> is fetched again when something happened.
  // A careful part holds forms: while somebody works in one it only says that there is news. <details class="shown"> is open from the start, <details data-read="name"> is only read and stays as it was.
  const touched = (part) => part.querySelector("details[open]:not(.shown):not([data-read]), [data-loaded]") || [...part.querySelectorAll("input, textarea, select")].some((field) =>
    field.type === "radio" || field.type === "checkbox" ? field.checked !== field.defaultChecked
      : field.tagName === "SELECT" ? [...field.options].some((option, i) => option.selected !== option.defaultSelected && i > 0)
      : field.type !== "hidden" && field.value !== field.defaultValue);
  const say = (part) => {
    part.dataset.stale = "1";
    let line = part.querySelector(".stale");
    if (!line) {
      line = document.createElement("p");
      line.className = "warning stale";
      line.setAttribute("role", "status");
      const again = document.createElement("a");
      again.href = location.href;
      again.textContent = body.dataset.reload;
      line.append(`${body.dataset.stale} `, again);
      part.prepend(line);
    }
    line.hidden = false;
  };
  // Without a session every page is left for the sign-in, unless something is typed into it. (Who signs out has been asked about that.)
  const signedOut = (told) => {
    if (!told) shared?.postMessage({ kind: "out" });
    if (!touched(document.getElementById("main"))) { location.reload(); return; }
    const bar = document.querySelector(".offline");
    if (!bar || bar.dataset.out) return;
    bar.dataset.out = "1";
    const link = document.createElement("a");
    link.href = "/sign-in";
    link.target = "_blank";
    link.textContent = body.dataset.signIn;
    bar.replaceChildren(`${body.dataset.signedOut} `, link);
    bar.hidden = false;
  };
  // Where the focus is within a part, so that it can be put there again; on what says something else it is never put, for Enter may follow.
  const focusable = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const place = (part) => {
    const at = document.activeElement;
    if (!at || at === part || !part.contains(at)) return () => {};
    const row = at.closest("[data-id]")?.dataset.id;
    const like = (one) => one.tagName === at.tagName && one.name === at.name && one.textContent === at.textContent && one.getAttribute("href") === at.getAttribute("href");
    return () => {
      const now = row === undefined ? part : part.querySelector(`[data-id="${CSS.escape(row)}"]`);
      const found = [...(now ?? part).querySelectorAll(focusable)].find(like) ?? now ?? part;
      if (found.tabIndex < 0) found.tabIndex = -1;
      found.focus({ preventScroll: true });
    };
  };
  // What the page asks by itself is no use of the session, unless somebody watches it for emergencies; and it is asked for the account of the page alone.
  const headers = (name) => ({ "X-Fragment": name, "X-Account": body.dataset.account ?? "", ...("watches" in body.dataset ? {} : { "X-Idle": "1" }) });
  const refresh = async (part, seen) => {
    // That somebody opened it, most often oneself, is no news to who writes in a form: the part is fetched when they are done.
    const hold = () => { if (seen) part.dataset.stale = "1"; else say(part); };
    if ("careful" in part.dataset && touched(part)) { hold(); return; }
    if (part.dataset.busy) { if (part.dataset.again !== "1") part.dataset.again = seen ? "seen" : "1"; return; }
    part.dataset.busy = "1";
    try {
      // What is read from a record is read again only when there is something else to do: data-seen.
      const read = part.querySelector("[data-seen]")?.dataset.seen ?? "";
      const answer = await fetch(part.dataset.fragment, { headers: { ...headers(part.dataset.fragmentName), "X-Seen": read }, credentials: "same-origin" });
      if (answer.status === 401) { signedOut(); return; }
      if (answer.ok && answer.status !== 204) {
        const text = await answer.text();
        if ("careful" in part.dataset && touched(part)) { hold(); return; } // somebody began meanwhile
        const before = new Set([...part.querySelectorAll("[data-id]")].map((row) => row.dataset.id));
        const opened = [...part.querySelectorAll("details[data-read][open]")].map((one) => one.dataset.read);
        const back = place(part);
        const mark = () => part.querySelector("[data-mark]")?.dataset.mark;
        const marked = mark();
        const aimed = part.querySelector(":target");
        moving(() => { part.innerHTML = text; });
        // On a telephone a form is open while it is the target of the address; the new one is not, unless the address is gone to again.
        if (aimed && document.getElementById(aimed.id)) {
          const at = [scrollX, scrollY];
          location.replace(location.hash);
          scrollTo(...at);
        }
        // A place that is offered, or is not any more, changes what the other parts of its referral propose.
        if (mark() !== marked && part.dataset.referral) refreshAll("referral", part.dataset.referral);
        delete part.dataset.stale;
        for (const one of part.querySelectorAll("details[data-read]")) if (opened.includes(one.dataset.read)) one.open = true;
        const fresh = [...part.querySelectorAll("[data-id]")].filter((row) => !before.has(row.dataset.id));
        for (const row of fresh) {
          row.classList.add("arrived");
          if (row.classList.contains("EMERGENCY")) alarm();
        }
        back();
        const news = document.getElementById("news");
        if (news && fresh.length && !part.matches(".alarms")) news.textContent = words(body.dataset.news, { n: fresh.length });
        badge();
        hint();
        document.dispatchEvent(new Event("refreshed"));
      }
    } finally {
      delete part.dataset.busy;
      const again = part.dataset.again; if (again) { delete part.dataset.again; refresh(part, again === "seen"); }
    }
  };
  // Heard for the whole page: a form that was refused without leaving it brings parts of its own.
  for (const event of ["toggle", "change"]) document.addEventListener(event, ({ target }) => { const part = target.closest?.("[data-careful]"); if (part?.dataset.stale && !touched(part)) refresh(part); }, true);
  const refreshAll = (kind, id, seen) => {
    for (const part of document.querySelectorAll("[data-fragment]")) {
      if (kind && part.dataset.kinds && !part.dataset.kinds.split(" ").includes(kind)) continue;
      if (part.dataset.referral && id && part.dataset.referral !== id) continue;
      refresh(part, seen).catch(() => {}); // the line is down: what was shown stays
    }
  };
  for (const part of document.querySelectorAll("[data-fragment][data-late]")) refresh(part).catch(() => {});
  if (!body.dataset.live) return;

  const offline = document.querySelector(".offline");
  const count = async () => {
    const answer = await fetch("/inbox/count", { headers: headers("count"), credentials: "same-origin" });
    if (answer.status === 401) { signedOut(); return; }
    if (!answer.ok) return;
    const counts = await answer.json();
    for (const link of document.querySelectorAll("[data-count]")) {
      const n = counts[link.dataset.nav] ?? 0;
      let badge = link.querySelector(".count");
      if (!badge) { badge = document.createElement("span"); badge.className = "count"; link.append(" ", badge); }
      badge.textContent = n;
      badge.hidden = n === 0;
      if (n > 0) link.hidden = false;
    }
    const open = counts.inbox ?? 0;
    const mark = document.title.startsWith(body.dataset.alarm) ? body.dataset.alarm : "";
    const plain = document.title.slice(mark.length).replace(/^\(\d+\) /, "");
    document.title = mark + (open ? `(${open}) ${plain}` : plain);
  };
  const afresh = () => { refreshAll(); count().catch(() => {}); };

  // One stream a browser: the page that holds the lock has it and passes on what it says, for six streams are all that a browser opens to a server. A page without
  // locks (not a secure context), or whose holder does not answer, has a stream of its own. `seen` is what the page knows of: it was drawn at data-live, and hears
  // everything since.
  const since = (address) => Number(new URL(address, location.href).searchParams.get("since") ?? 0);
  let seen = since(body.dataset.live);
  let source, lost, holds = false;
  const react = (kind, data) => {
    if (kind === "up") {
      clearTimeout(lost);
      if (data.fresh || (offline && !offline.hidden && !offline.dataset.out)) afresh();
      if (offline && !offline.dataset.out) offline.hidden = true;
    } else if (kind === "down") {
      clearTimeout(lost);
      lost = setTimeout(() => { if (offline && !offline.dataset.out) { offline.textContent = body.dataset.offline; offline.hidden = false; } }, 4000);
    } else if (kind === "reset") {
      afresh();
    } else {
      refreshAll(kind, kind === "referral" ? data.id : undefined, data.seen);
      if (kind === "notification" || kind === "alarm") count().catch(() => {});
      if (data.urgency === "URGENT" && "urgent" in body.dataset) sound(urgent);
    }
  };
  const tell = (kind, data = {}) => {
    if (holds) shared?.postMessage({ kind, data, seen });
    react(kind, data);
  };
  const connect = (again) => {
    source?.close();
    const placed = seen > 0;
    source = new EventSource(`/events?account=${body.dataset.account}${placed ? `&since=${seen}` : ""}`);
    for (const kind of ["referral", "notification", "booking", "alarm"]) {
      source.addEventListener(kind, (event) => {
        seen = Math.max(seen, Number(event.lastEventId));
        tell(kind, JSON.parse(event.data));
      });
    }
    source.addEventListener("reset", () => tell("reset"));
    source.addEventListener("open", () => { tell("up", { fresh: again || !placed }); again = false; });
    source.addEventListener("error", () => {
      tell("down");
      // After an answer that is no stream (signed out, or a service away) the browser gives up by itself; we do not.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => { count().catch(() => {}); connect(true); }, 5000);
    });
  };
  // A page asks the holder where it stands: at first, when it is looked at again, and now and then, for a holder may be asleep.
  let known = seen, confirmed = false, answered;
  const hello = () => {
    if (holds || document.visibilityState !== "visible") return;
    answered = false;
    shared.postMessage({ kind: "hello" });
    setTimeout(() => { if (!answered && !source) connect(false); }, 3000);
  };
  if (shared) {
    shared.addEventListener("message", ({ data: said }) => {
      if (said.kind === "out") { signedOut(true); return; }
      if (said.kind === "hello") { if (holds) shared.postMessage({ kind: "at", seen, up: source.readyState === EventSource.OPEN }); return; }
      answered = true;
      seen = Math.max(seen, said.seen);
      if (source) return;
      if (said.kind !== "at") { if (confirmed) known = seen; react(said.kind, said.data); return; }
      // What came between the drawing of this page and its listening was told to others.
      if (said.seen > known) afresh();
      [known, confirmed] = [Math.max(known, said.seen), true];
      react(said.up ? "up" : "down", {});
    });
    navigator.locks.request(`tongzhen live ${body.dataset.account}`, () => { holds = true; if (!source) connect(false); return new Promise(() => {}); });
    hello();
    document.addEventListener("visibilitychange", hello);
    setInterval(hello, 30000);
  } else connect(false);
  // The next person at this PC sees nothing of the one before.
  if (window.BroadcastChannel) {
    const who = new BroadcastChannel("tongzhen account");
    who.addEventListener("message", ({ data }) => {
      if (data === body.dataset.account) return;
      source?.close();
      const note = document.createElement("p");
      const there = document.createElement("a");
      there.href = "/";
      there.textContent = body.dataset.reload;
      note.className = "warning";
      note.append(`${body.dataset.other} `, there);
      document.getElementById("main").replaceChildren(note);
    });
    who.postMessage(body.dataset.account);
  }
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) { if (source) connect(true); else hello(); } });
})();
