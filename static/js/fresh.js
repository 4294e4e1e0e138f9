// Parts of a page marked data-fresh="kind kind" are read again when such an event arrives.
import { fragment } from "./api.js";
import { refreshDrawer } from "./drawer.js";
import { released } from "./press.js";
import { refreshTimes } from "./times.js";

const waiting = new Map();
const late = new Set();
const reading = new Set();
const outdated = new Set();

const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select";

// What finds an element again after its part was read anew; nothing for what cannot be told from its like.
function placeOf(element) {
  if (!element) return "";
  if (element.id) return `#${CSS.escape(element.id)}`;
  if (element.matches("details[id] > summary")) return `#${CSS.escape(element.parentElement.id)} > summary`;
  if (element.matches("a[href]")) return `a[href="${CSS.escape(element.getAttribute("href"))}"]`;
  const action = element.closest("form[action]")?.getAttribute("action");
  const own = element.name && element.value ? `[name="${CSS.escape(element.name)}"][value="${CSS.escape(element.value)}"]` : "";
  if (element.matches("input[type=checkbox]")) return own;
  return own && action ? `form[action="${CSS.escape(action)}"] ${own}` : "";
}

function tick(box) {
  if (!box || box.checked) return;
  box.checked = true;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

// One reading of a part at a time: of two, the older answer could come last.
async function reread(part) {
  waiting.delete(part);
  if (reading.has(part)) return outdated.add(part);
  reading.add(part);
  await replace(part);
  reading.delete(part);
  if (outdated.delete(part)) soon(part);
}

async function replace(part) {
  try {
    const page = new DOMParser().parseFromString(await fragment(location.pathname + location.search, { whole: true }), "text/html");
    const found = page.getElementById(part.id);
    if (!found) return;
    await released(part);
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    if (focused?.matches(TYPING)) {
      late.add(part); // Somebody writes there: when they have left.
      return;
    }
    const open = [...part.querySelectorAll("details[open][id]")].map((each) => each.id);
    const at = placeOf(focused);
    const ticked = [...part.querySelectorAll("input[type=checkbox][value]:checked")].map(placeOf);
    part.replaceChildren(...found.childNodes);
    window.htmx?.process(part);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    for (const place of ticked) tick(place && part.querySelector(place));
    if (at) part.querySelector(at)?.focus({ preventScroll: true });
    refreshTimes(part);
  } catch { /* the dot tells that we are away; the next event, or coming back, tries again */ }
}

function soon(part) {
  if (!waiting.has(part)) waiting.set(part, setTimeout(() => reread(part), 400));
}

document.addEventListener("focusout", ({ relatedTarget }) => {
  for (const part of late) {
    if (part.contains(relatedTarget)) continue;
    late.delete(part);
    soon(part);
  }
});

function touched(kind) {
  for (const part of document.querySelectorAll("[data-fresh]")) {
    if (!kind || part.dataset.fresh.split(" ").includes(kind)) soon(part);
  }
}

let drawerWaits = null;
document.addEventListener("live:event", (event) => {
  const { kind, payload } = event.detail;
  touched(kind);
  const open = document.querySelector("#drawer [data-run]")?.dataset.run;
  const ids = [payload.run?.id, payload.run?.parent_id, payload.run_id].map(String);
  if (open && ids.includes(open) && kind !== "reply.delta" && !drawerWaits) {
    drawerWaits = setTimeout(() => { drawerWaits = null; refreshDrawer(); }, 500);
  }
  const task = document.querySelector("#drawer [data-task]");
  const typing = task?.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
  if (task && !typing && kind.startsWith("task.") && String(payload.number) === task.dataset.task && !drawerWaits) {
    drawerWaits = setTimeout(() => { drawerWaits = null; refreshDrawer(); }, 500);
  }
});
document.addEventListener("live:back", () => touched());
document.addEventListener("live:behind", () => { touched(); refreshDrawer(); });
