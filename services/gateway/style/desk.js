// The desk: the open referral beside the queue, keys, what narrows the queue, slips that are scanned.
"use strict";
(() => {
  const body = document.body;
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
      beside().dispatchEvent(new Event("swapped", { bubbles: true }));
      if (push) history.pushState(null, "", href);
      const list = document.querySelector(".split > aside");
      const at = new URL(href, location).pathname;
      for (const link of list.querySelectorAll("a")) { if (link.pathname === at) { link.setAttribute("aria-current", "true"); link.scrollIntoView({ block: "nearest" }); } else link.removeAttribute("aria-current"); }
      list.dataset.fragment = list.dataset.fragment.replace(/at=[^&]*/, `at=${at.split("/").pop()}`);
      for (const button of beside().querySelectorAll("[data-keys]")) button.hidden = false;
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
  let turns = 0;
  // From the first picture on: on a slow PC who answers sees the next one later than the script does.
  const settling = (answered) => {
    const mine = ++turns;
    body.dataset.settling = "";
    requestAnimationFrame(() => setTimeout(() => { if (mine === turns) delete body.dataset.settling; }, answered ? 1000 : 400));
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
  const leaving = () => { const mine = ++turns; body.dataset.settling = ""; setTimeout(() => { if (mine === turns) delete body.dataset.settling; }, 8000); };
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
    // The focus is where it does nothing but close: on the tick box a blank would turn the keys off.
    const list = () => { keys.showModal(); keys.querySelector("form button").focus(); };
    document.addEventListener("click", (event) => { if (event.target.closest("[data-keys]")) list(); });
    const press = (key) => {
      const rows = [...document.querySelectorAll("table.queue tbody tr")];
      const row = document.activeElement.closest("table.queue tbody tr");
      const open = (to) => to?.querySelector("a[href]")?.focus();
      if (key === "?") { list(); return true; }
      if (rows.length && key === "j") { open(rows[row ? Math.min(rows.indexOf(row) + 1, rows.length - 1) : 0]); return true; }
      if (rows.length && key === "k") { open(rows[row ? Math.max(rows.indexOf(row) - 1, 0) : 0]); return true; }
      if (rows.length && key === "n") { rows[0].querySelector("a[href]").click(); return true; }
      const within = row ?? (rows.length && key !== "/" ? null : document);
      const found = within?.querySelector(`[data-key~="${key}"]`);
      // What needs words is answered on the referral's own page.
      if (!found && row && "rd".includes(key)) { location.assign(`${row.querySelector("a[href]").href}#key-${key}`); return true; }
      if (!found && key === "/") { document.querySelector('[data-key="/"]')?.click() ?? location.assign("/desk/arrivals"); return true; }
      if (!found) return false;
      if (found.tagName === "TEXTAREA") { found.focus(); return true; }
      if (key === "a" && !meant(true)) return true;
      found.click();
      if (found.tagName === "SUMMARY") found.parentElement.querySelector("select, textarea, input:not([type=hidden])")?.focus();
      return true;
    };
    // Escape leaves a field, so that the keys work again: to what opened its form, where there is one. What it closes or empties first, it closes or empties.
    document.addEventListener("keydown", (event) => {
      const field = event.target.closest("input, textarea, select");
      if (event.key !== "Escape" || event.isComposing || !field || !on.checked || field.closest("dialog") || field.getAttribute("aria-expanded") === "true" || field.type === "search" && field.value) return;
      field.blur();
      field.closest("details")?.querySelector("summary").focus();
    }, true);
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
})();
