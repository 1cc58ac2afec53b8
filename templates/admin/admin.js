// Live progress: asks for the progress of the editions on the page as long as some of their messages are unsent. Without
// this script the page is just as correct whenever it is loaded.
"use strict";
(() => {
  const EVERY = 1000, REST = 5000;
  const root = document.querySelector("script[src*='/assets/']").getAttribute("src").split("/assets/")[0];
  const shown = [...document.querySelectorAll("[data-edition]")];
  const number = new Intl.NumberFormat("en");

  const set = (place, name, text) => {
    const found = place.querySelector(`[data-${name}]`);
    if (found && found.textContent !== text) found.textContent = text;
  };

  const show = (place, edition) => {
    place.dataset.open = edition.open;
    set(place, "said", edition.said);
    set(place, "count-open", number.format(edition.open));
    place.querySelector("svg.bar").setAttribute("aria-label", edition.said);
    for (const [status, share] of Object.entries(edition.shares)) {
      const part = place.querySelector(`[data-share="${status}"]`);
      part.setAttribute("x", share.begins);
      part.setAttribute("width", share.width);
      set(place, `count="${status}"`, number.format(share.total));
      const row = place.querySelector(`[data-row="${status}"]`);
      if (row) row.hidden = share.total === 0;
    }
    const state = place.querySelector("[data-state]");
    state.textContent = edition.label;
    state.className = `state ${edition.state}`;
  };

  // The buttons belong to the old state, so load the page again, unless someone is typing.
  const isOver = (place, edition) => ["held", "sent", "failed", "unclear", "cancelled"].includes(edition.state) && edition.state !== place.dataset.was;
  const isTyping = () => document.activeElement && document.activeElement.matches("input, textarea, summary");
  // The answer to a form says what was done; to load the page now would take its place.
  let isSent = false;
  addEventListener("submit", () => { isSent = true; });

  const ask = async () => {
    const open = shown.filter((place) => Number(place.dataset.open) > 0);
    if (!open.length || isSent) return;
    let wait = EVERY;
    try {
      const query = open.map((place) => `id=${place.dataset.edition}`).join("&");
      const answer = await fetch(`${root}/progress.json?${query}`);
      if (answer.status === 403) return void location.reload();
      const told = await answer.json();
      if (isSent) return;
      for (const edition of told) {
        const place = open.find((each) => each.dataset.edition === String(edition.id));
        show(place, edition);
        if (isOver(place, edition) && !isTyping()) return void location.replace(location.pathname + location.hash);
      }
      if (open.every((place) => place.querySelector("[data-state]").classList.contains("held"))) wait = REST;
    } catch {
      wait = REST; // the server is unreachable for a moment
    }
    setTimeout(ask, document.hidden ? REST : wait);
  };
  setTimeout(ask, EVERY);
})();

// Work in the background: shows how far it is, and loads the page again when it is over.
(() => {
  const place = document.querySelector("[data-job]");
  if (!place) return;
  const root = document.querySelector("script[src*='/assets/']").getAttribute("src").split("/assets/")[0];
  const number = new Intl.NumberFormat("en"), bar = place.querySelector("progress");
  const ask = async () => {
    try {
      const answer = await fetch(`${root}/job/${place.dataset.job}.json`);
      const job = await answer.json();
      if (job.over) return void location.replace(location.pathname);
      const done = place.querySelector("[data-done]");
      if (done) done.textContent = number.format(job.done);
      if (job.of) {
        bar.max = 100;
        bar.value = Math.min(100, (100 * job.done) / job.of);
      }
    } catch {
      // the server is unreachable for a moment
    }
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 500);
})();

// A file that is too large is refused before it is sent.
(() => {
  for (const field of document.querySelectorAll("input[type=file][data-most]")) {
    field.addEventListener("change", () => {
      const file = field.files[0];
      const isLarge = file && file.size > Number(field.dataset.most);
      field.setCustomValidity(isLarge ? `The file is larger than ${Math.floor(field.dataset.most / 1e6)} MB.` : "");
    });
  }
})();
