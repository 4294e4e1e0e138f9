// The list of files follows what happens to them: figures move by events, a line is read again when its state changes.
import "./choose.js";
import "./file_upload.js";
import { fragment } from "../api.js";
import { refreshDrawer } from "../drawer.js";
import { refreshTimes } from "../times.js";
import { announce } from "../toasts.js";

const list = document.getElementById("files");
const empty = document.getElementById("files-empty");
const latest = new Map();
const reading = new Set();
const again = new Set();
let drawerWaits = null;

const lines = (id) => [...document.querySelectorAll(`[id="file-${id}"]`)];

function move(line, file) {
  const bar = line.querySelector("progress");
  if (bar && file.chunks_total) {
    bar.max = file.chunks_total;
    bar.value = file.chunks_done;
    line.querySelector("[data-pieces]").textContent = `${file.chunks_done} of ${file.chunks_total} piece${file.chunks_total === 1 ? "" : "s"}`;
  }
  const taught = line.querySelector("[data-taught]");
  taught.hidden = !file.memories;
  taught.querySelector("[data-count]").textContent = `${file.memories} ${file.memories === 1 ? "memory" : "memories"}`;
}

// A line that holds the focus gives it to the same control of the new one, or keeps it itself.
function replace(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(fresh);
  if (!focused) return;
  const name = focused.textContent.trim();
  ([...fresh.querySelectorAll("a, button")].find((each) => each.textContent.trim() === name) ?? fresh).focus();
}

function shown() {
  if (!list) return;
  list.hidden = list.childElementCount === 0;
  empty.hidden = !list.hidden;
}

// What was heard while the line was on its way is newer than the line.
function catchUp(line) {
  const heard = latest.get(Number(line.id.slice(5)));
  const bar = line.querySelector("progress");
  if (bar && heard?.state === line.dataset.state && heard.chunks_done > bar.value) move(line, heard);
}

// What changes while a line is being read is read once more.
async function reread(id) {
  if (reading.has(id)) {
    again.add(id);
    return;
  }
  reading.add(id);
  try {
    const holder = document.createElement("template");
    holder.innerHTML = await fragment(`/memory/files/${id}/?part=row`);
    const fresh = holder.content.firstElementChild;
    const old = lines(id).find((each) => !each.closest("#drawer"));
    if (old) replace(old, fresh);
    else if (list && !list.dataset.state && !("continued" in list.dataset)) list.prepend(fresh);
    catchUp(fresh);
    refreshTimes(fresh);
    shown();
    if (["done", "failed"].includes(fresh.dataset.state)) announce(`${fresh.querySelector(".file-name").textContent}: ${fresh.querySelector(".badge").textContent}.`);
  } catch { /* the dot tells that we are away; the next event tries again */ } finally {
    reading.delete(id);
    if (again.delete(id)) reread(id);
  }
}

function follow(id) {
  if (!drawerWaits && document.querySelector(`#drawer [data-file-open="${id}"]`)) {
    drawerWaits = setTimeout(() => { drawerWaits = null; refreshDrawer(); }, 700);
  }
}

document.addEventListener("live:event", ({ detail: { kind, payload } }) => {
  const file = payload.file;
  if (kind !== "memory.file_changed" || (list && String(file.agent_id) !== list.dataset.agent)) return;
  const known = lines(file.id);
  if (file.state === "removed") {
    for (const line of known) line.remove();
    shown();
    return;
  }
  // Without progress it is the state or the reason that changed.
  const bar = known[0]?.querySelector("progress");
  const moved = bar && known[0].dataset.state === file.state && bar.value !== file.chunks_done;
  latest.set(file.id, file);
  for (const line of known) move(line, file);
  if (!moved || known[0].querySelector(".badge-warn")) reread(file.id);
  follow(file.id);
});

document.addEventListener("live:behind", () => {
  for (const line of list?.children ?? []) reread(Number(line.id.slice(5)));
});
