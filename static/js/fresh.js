// Parts of a page marked data-fresh="kind kind" are read again when such an event arrives.
import { fragment } from "./api.js";
import { refreshDrawer } from "./drawer.js";
import { refreshTimes } from "./times.js";

const waiting = new Map();

async function reread(part) {
  waiting.delete(part);
  try {
    const page = new DOMParser().parseFromString(await fragment(location.pathname + location.search, { whole: true }), "text/html");
    const found = page.getElementById(part.id);
    const held = part.contains(document.activeElement) ? document.activeElement : null;
    const fold = held?.matches("details[id] > summary") ? held.parentElement.id : null;
    if (!found || (held && !fold)) return;
    const open = [...part.querySelectorAll("details[open][id]")].map((each) => each.id);
    part.replaceChildren(...found.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (fold) document.querySelector(`#${CSS.escape(fold)} > summary`)?.focus({ preventScroll: true });
    refreshTimes(part);
  } catch { /* the dot tells that we are away; the next event tries again */ }
}

function soon(part) {
  if (!waiting.has(part)) waiting.set(part, setTimeout(() => reread(part), 400));
}

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
document.addEventListener("live:behind", () => { touched(); refreshDrawer(); });
