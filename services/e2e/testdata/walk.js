// What the tests ask of every page, evaluated in it by the browser's own tools, past its content policy.
(() => {
  const reachable = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex='-1'])";
  const told = (e) => `<${e.tagName.toLowerCase()}${e.id ? ` id=${e.id}` : ""}${e.name ? ` name=${e.name}` : ""}${e.className ? ` class="${e.className}"` : ""}> ${(e.innerText || e.value || "").trim().slice(0, 30)}`;
  // Of a group of radio buttons one is a stop; the arrow keys lead to the others.
  const group = (e) => e.type === "radio" ? [...document.querySelectorAll(`input[type=radio][name="${CSS.escape(e.name)}"]`)].find((other) => other.form === e.form) : e;
  // A date has a stop for each of its parts.
  const parts = { date: 4, time: 4, "datetime-local": 8, month: 3 };
  let stops, visited, stayed;

  const covered = (e) => {
    const box = (e.closest("label")?.contains(e) ? e.closest("label") : e).getClientRects();
    const points = [...box].flatMap((r) => [[r.left + r.width / 2, r.top + r.height / 2], [r.left + 3, r.top + 3], [r.right - 3, r.bottom - 3], [r.right - 3, r.top + 3], [r.left + 3, r.bottom - 3]]);
    return !points.some(([x, y]) => {
      const hit = document.elementFromPoint(x, y);
      return hit && (e.contains(hit) || hit.contains(e) && !hit.closest("nav, header, .sticky, .alarms") || e.closest("label")?.contains(hit));
    });
  };
  // The ring is on the thing itself, or on the label that stands for it.
  const ringed = (e) => [e, e.closest("label")].some((part) => {
    if (!part) return false;
    const style = getComputedStyle(part);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && !/, 0\)|transparent/.test(style.outlineColor);
  });

  const kept = () => [...document.querySelectorAll("[data-picker-all], form[data-templates]")].map((e) => new URL(e.dataset.pickerAll ?? e.dataset.templates, location.href).href);

  window.walk = {
    // quiet: nothing changes under the test's hands; everything that folds is open.
    begin() {
      dispatchEvent(new Event("pagehide"));
      for (const fold of document.querySelectorAll("details")) fold.open = true;
      stops = new Set([...document.querySelectorAll(reachable)].filter((e) => !e.matches(":disabled") && e.checkVisibility({ visibilityProperty: true })).map(group));
      visited = new Set();
      stayed = 0;
      // From the very top, whatever the page put the focus on.
      document.body.tabIndex = -1;
      document.body.focus();
      document.body.removeAttribute("tabindex");
      scrollTo(0, 0);
      return [...stops].reduce((n, e) => n + (parts[e.type] ?? 1), 0);
    },
    // step tells what is wrong with the place that the Tab key has led to: "" nothing, "end" when the page is through.
    step() {
      const e = document.activeElement;
      if (!e || e === document.body || e === document.documentElement) return visited.size ? "end" : "";
      const g = group(e);
      if (g === [...visited].at(-1)) return ++stayed < (parts[e.type] ?? 1) ? "" : `the Tab key stays at ${told(e)}`;
      stayed = 0;
      if (visited.has(g)) return "end";
      const first = visited.size === 0;
      visited.add(g);
      if (first && !e.matches("a.skip")) return `the first stop is ${told(e)}, not the way past the frame`;
      if (!e.matches(":focus-visible") || !ringed(e)) return `nothing shows that ${told(e)} has the focus`;
      if (covered(e)) return `${told(e)} is hidden when it has the focus`;
      return "";
    },
    missed() { return [...stops].filter((e) => !visited.has(e) && e.isConnected && e.checkVisibility({ visibilityProperty: true })).map(told); },
    // wide names what is wider than the screen.
    wide(limit) {
      if (document.documentElement.scrollWidth <= limit) return "";
      const out = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > limit + 1 && !e.closest(".scroll")).map((e) => `${e.tagName.toLowerCase()}.${e.className}`);
      return `${document.documentElement.scrollWidth} px: ${[...new Set(out)].slice(0, 5).join(" ")}`;
    },
    // What a page fetches when it is at rest, and keeps for days, is there. It is of a first visit.
    rests() {
      const came = performance.getEntriesByType("resource").map((r) => r.name);
      return !document.querySelector("[aria-busy=true]") && kept().every((address) => came.includes(address));
    },
    // weight in bytes as sent: [of this page alone, with everything that a first visit loads].
    weight() {
      const page = performance.getEntriesByType("navigation")[0];
      const parts = performance.getEntriesByType("resource").filter((r) => new URL(r.name).pathname !== "/events");
      const sum = (list) => list.reduce((n, r) => n + r.encodedBodySize, page.encodedBodySize);
      return [sum(parts.filter((r) => !new URL(r.name).pathname.startsWith("/assets/") && !kept().includes(r.name))), sum(parts)];
    },
    // late are what a page waits for that its own text does not name: each costs another round trip.
    late() {
      return performance.getEntriesByType("resource").filter((r) => r.renderBlockingStatus === "blocking" && !document.querySelector(`[href="${new URL(r.name).pathname}"], [src="${new URL(r.name).pathname}"]`)).map((r) => `the page waits for ${new URL(r.name).pathname} only after it was read`);
    },
    // skipped tells whether the way past the frame leads there.
    skipped() {
      const main = document.querySelector("main");
      return main.contains(document.activeElement) || ![...stops].some((e) => main.contains(e));
    },
    // axe holds the page against WCAG 2.2 AA, at its end, where no bar that sticks to the bottom covers anything; or against what depends on colours.
    async axe(colours) {
      scrollTo(0, document.documentElement.scrollHeight);
      const tags = { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] };
      const { violations } = await axe.run(document, { runOnly: colours ? ["color-contrast", "link-in-text-block"] : tags, resultTypes: ["violations"] });
      return violations.map((v) => `${v.id} (${v.nodes.length}): ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} — ${n.failureSummary.split("\n").slice(1, 2).join("").trim()}`).join("; ")}`);
    },
  };
})();
