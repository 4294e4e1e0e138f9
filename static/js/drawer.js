// Links with data-drawer open beside the page; the address keeps what is open, so it survives a reload.
import { fragment } from "./api.js";
import { released } from "./press.js";
import { refreshTimes } from "./times.js";

const drawer = document.getElementById("drawer");
let opener = null;
let asked = 0;

function shown() {
  return new URL(location).searchParams.get("drawer");
}

function skeleton() {
  drawer.innerHTML = '<div class="skeleton" role="status"><span></span><span></span><span></span><b class="sr-only">Loading</b></div>';
}

function failed(message) {
  drawer.innerHTML = '<div class="empty"><strong></strong><button class="button" type="button" data-drawer-retry>Try again</button><button class="button button-quiet" type="button" data-drawer-close>Close</button></div>';
  drawer.querySelector("strong").textContent = message;
}

const placeOf = (field) => field.id || `${field.form?.getAttribute("action")} ${field.name}`;
const fields = () => [...drawer.querySelectorAll("select[name], textarea[name]")];

// What was chosen or written there and is not sent yet stays through a reading by itself.
function fill(written) {
  for (const field of fields()) {
    const value = written.get(placeOf(field));
    if (value !== undefined && (!field.options || [...field.options].some((each) => each.value === value))) field.value = value;
  }
}

function isUnsent(field) {
  if (field.form?.dataset.busy) return false;
  return field.options ? [...field.options].some((each) => each.selected !== each.defaultSelected) : field.value !== field.defaultValue;
}

async function show(path, { quiet = false } = {}) {
  const mine = ++asked;
  drawer.hidden = false;
  if (!quiet) skeleton();
  try {
    const html = await fragment(path);
    await released(drawer);
    if (mine !== asked || shown() !== path) return;
    const written = new Map(quiet ? fields().filter(isUnsent).map((field) => [placeOf(field), field.value]) : []);
    const top = drawer.querySelector(".drawer-body")?.scrollTop ?? 0;
    const open = [...drawer.querySelectorAll("details[open][id]")].map((each) => each.id);
    drawer.innerHTML = html;
    fill(written);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (quiet) drawer.querySelector(".drawer-body").scrollTop = top;
    else drawer.focus();
    window.htmx?.process(drawer);
    refreshTimes(drawer);
  } catch (error) {
    if (mine === asked && (!quiet || drawer.querySelector(":scope > .skeleton"))) failed(error.message);
  }
}

export function refreshDrawer() {
  if (shown()) show(shown(), { quiet: true });
}

export function openDrawer(path) {
  opener = document.activeElement;
  const address = new URL(location);
  address.searchParams.set("drawer", path);
  history.pushState({}, "", address);
  show(path);
}

export function closeDrawer() {
  if (drawer.hidden) return false;
  drawer.hidden = true;
  drawer.replaceChildren();
  const address = new URL(location);
  address.searchParams.delete("drawer");
  history.pushState({}, "", address);
  opener?.focus();
  return true;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-drawer]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openDrawer(link.getAttribute("href"));
  }
  if (event.target.closest("[data-drawer-close]")) closeDrawer();
  if (event.target.closest("[data-drawer-retry]")) show(shown());
});

function follow() {
  const path = shown();
  if (path?.startsWith("/") && !path.startsWith("//")) show(path);
  else {
    drawer.hidden = true;
    drawer.replaceChildren();
  }
}

window.addEventListener("popstate", follow);
if (shown()) follow();
