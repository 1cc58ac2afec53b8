// Keyboard shortcuts, and pages that follow the files. Everything else works without this script.
"use strict";

document.documentElement.classList.add("scripted");

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// The HTML of each part as the server last sent it. A part is only replaced when that changes, so an open form stays open.
const said = (root) => new Map(all("[data-live]", root).map((part) => [part.dataset.live, part.innerHTML]));
let known = said(document);
let state = document.body.dataset.state;

function go(link) {
  if (link) location.assign(link.href);
}

function step(by) {
  const stops = all("[data-stop]").filter((stop) => stop.checkVisibility?.() ?? true);
  const here = stops.findIndex((stop) => stop.hasAttribute("aria-current"));
  go(stops[here < 0 ? 0 : Math.min(Math.max(here + by, 0), stops.length - 1)]);
}

function cycle(key) {
  const links = all(`[data-cycle="${key}"] a`);
  const here = links.findIndex((link) => link.hasAttribute("aria-current"));
  if (links.length) go(links[(here + 1) % links.length]);
}

function openForm() {
  const form = one(".send");
  if (!form) return;
  form.open = true;
  one("input", form).focus();
}

const keys = {
  j: () => step(1),
  k: () => step(-1),
  p: () => cycle("p"),
  d: () => cycle("d"),
  t: openForm,
  s: () => go(one('.side [href^="/pages"]')),
  f: () => go(one('.side [href="/feeds"]')),
  "/": () => one(".topics select")?.focus(),
  "?": () => one(".keys").showModal(),
};

function pressed(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || one("dialog[open]")) return;
  if (event.target.closest?.("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const form = one(".send[open]");
  if (event.key === "Escape" && form) {
    form.open = false;
    one("summary", form).focus();
    return;
  }
  const act = /^[1-9]$/.test(event.key) ? () => go(one(`[data-view="${event.key}"]`)) : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

document.addEventListener("keydown", pressed);
document.addEventListener("change", (event) => {
  if (event.target.matches(".topics select")) event.target.form.requestSubmit();
});
for (const button of all("[data-keys]")) {
  button.hidden = false;
  button.addEventListener("click", keys["?"]);
}

// On a small screen, the list would fill all of it.
const wide = matchMedia("(min-width: 64rem)");
const fold = () => { one(".menu").open = wide.matches; };
wide.addEventListener("change", fold);
fold();

// A frame that has the focus would otherwise receive the keys.
function listen(frame) {
  try {
    frame.contentDocument.addEventListener("keydown", pressed);
  } catch {
    // A link in the frame led to another site.
  }
}
document.addEventListener("load", (event) => event.target.matches?.("iframe") && listen(event.target), true);
all("iframe").forEach(listen);

// Frames are reloaded, and scrolled back to where they were.
function reload(frame) {
  let top = 0;
  try {
    top = frame.contentWindow.scrollY;
    frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, top), { once: true });
    frame.contentWindow.location.reload();
  } catch {
    frame.src = frame.getAttribute("src"); // a link in the frame led to another site
  }
}

function refreshFrames(next) {
  const [now, then] = [one("[data-frames]"), one("[data-frames]", next)];
  if (!now || !then) return;
  const fresh = new Map(all("iframe", then).map((frame) => [`${frame.className} ${frame.title}`, frame]));
  for (const frame of all("iframe", now)) {
    const other = fresh.get(`${frame.className} ${frame.title}`);
    if (!other || other.dataset.key === frame.dataset.key) continue;
    frame.dataset.key = other.dataset.key;
    reload(frame);
  }
}

function replaceParts(next) {
  const fresh = said(next);
  for (const part of all("[data-live]")) {
    const name = part.dataset.live;
    if (known.get(name) === fresh.get(name)) continue;
    const href = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
    part.innerHTML = fresh.get(name);
    if (href) all("a", part).find((link) => link.getAttribute("href") === href)?.focus();
  }
  known = fresh;
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = next.title;
  state = next.body.dataset.state;
  const names = (root) => all("[data-live], [data-frames]", root).map((part) => part.dataset.live).join();
  if (names(document) === names(next)) {
    replaceParts(next);
    refreshFrames(next);
  } else {
    // A different kind of page: an error appeared, or was fixed.
    known = said(next);
    one("main").replaceWith(document.adoptNode(one("main", next)));
    one('[data-live="side"]').innerHTML = known.get("side");
  }
}

let busy = false;
let wanted = "";
async function follow(news) {
  wanted = news;
  if (busy) return;
  busy = true;
  try {
    while (wanted !== state) {
      const asked = wanted;
      await refresh();
      if (asked === wanted) break;
    }
  } catch {
    // The server is unreachable. The next connection brings the news.
  } finally {
    busy = false;
  }
}

const status = one("[data-live-status]");
const news = new EventSource("/events");
news.addEventListener("state", (event) => {
  status.textContent = "Live";
  status.classList.remove("away");
  follow(event.data);
});
news.addEventListener("error", () => {
  status.textContent = "Preview has ended";
  status.classList.add("away");
});
addEventListener("pagehide", () => news.close());
