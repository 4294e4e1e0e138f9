// The board: drag a card, or Shift with an arrow on it; both ask the server, which decides. Columns stay fresh by events.
import { call, fragment } from "../api.js";
import { released } from "../press.js";
import { announce, toast } from "../toasts.js";
import { refreshTimes } from "../times.js";

const board = document.getElementById("board");
const cardOf = (node) => node?.closest?.(".task-card");
const columns = () => [...board.querySelectorAll(".board-column")];
let held = null;
let waiting = null;
let stale = false;
let asked = 0;

function mayGo(card, state) {
  return card.dataset.moves.split(" ").includes(state);
}

async function move(card, column) {
  const { number, revision, starts } = card.dataset;
  const state = column.dataset.state;
  const path = starts !== undefined && state === "in_progress" ? "start" : "move";
  const body = { expected_revision: Number(revision), ...(path === "move" ? { state } : {}) };
  try {
    await call("POST", `/tasks/${number}/${path}`, body);
    announce(path === "start" ? `A worker begins with task ${number}.` : `Task ${number} is in ${column.dataset.words} now.`);
  } catch (error) {
    toast(error.message);
  }
  await reread();
}

// Nothing is replaced under somebody's hands; what changes meanwhile is read when they have let go.
function isInUse() {
  return Boolean(held || board.querySelector("details.menu[open]"));
}

// What is shown is replaced as a whole; focus and scroll positions are put back. Of two answers the older could come last.
async function reread() {
  clearTimeout(waiting);
  waiting = null;
  stale = isInUse();
  if (stale) return;
  const mine = ++asked;
  let found;
  try {
    const page = new DOMParser().parseFromString(await fragment(location.pathname + location.search, { whole: true }), "text/html");
    found = page.getElementById("board");
  } catch {
    return; // The dot tells that we are away; the next event tries again.
  }
  await released(board);
  if (!found || mine !== asked) return;
  stale = isInUse();
  if (stale) return;
  const focused = cardOf(document.activeElement)?.id;
  const across = board.scrollLeft;
  const down = columns().map((column) => [column.dataset.state, column.querySelector(".board-cards").scrollTop]);
  board.replaceChildren(...found.childNodes);
  for (const [state, top] of down) {
    const cards = board.querySelector(`[data-state="${state}"] > .board-cards`);
    if (cards) cards.scrollTop = top;
  }
  board.scrollLeft = across;
  refreshTimes(board);
  if (focused) document.getElementById(focused)?.querySelector(".task-card-title").focus();
}

function soon() {
  waiting ??= setTimeout(reread, 300);
}

function mark() {
  for (const column of columns()) {
    column.classList.toggle("board-closed", Boolean(held) && column.dataset.state !== held.dataset.state && !mayGo(held, column.dataset.state));
    column.classList.remove("board-target");
  }
}

function letGo() {
  held?.classList.remove("task-card-held");
  held = null;
  mark();
  if (stale) soon();
}

board.addEventListener("dragstart", (event) => {
  const card = cardOf(event.target);
  if (!card?.dataset.moves) return;
  held = card;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", `#${card.dataset.number}`);
  card.classList.add("task-card-held");
  mark();
});
board.addEventListener("dragover", (event) => {
  const column = event.target.closest(".board-column");
  if (!held || !column || !mayGo(held, column.dataset.state)) return;
  event.preventDefault();
  for (const each of columns()) each.classList.toggle("board-target", each === column);
});
board.addEventListener("drop", (event) => {
  const column = event.target.closest(".board-column");
  const card = held;
  if (!card || !column || !mayGo(card, column.dataset.state)) return;
  event.preventDefault();
  letGo();
  move(card, column);
});
board.addEventListener("dragend", letGo);

board.addEventListener("keydown", (event) => {
  const card = cardOf(event.target);
  if (!card || !event.shiftKey || (event.key !== "ArrowLeft" && event.key !== "ArrowRight")) return;
  event.preventDefault();
  const all = columns();
  const at = all.findIndex((column) => column.contains(card));
  const step = event.key === "ArrowRight" ? 1 : -1;
  for (let place = at + step; place >= 0 && place < all.length; place += step) {
    if (mayGo(card, all[place].dataset.state)) {
      move(card, all[place]);
      return;
    }
  }
  announce("It cannot go further that way.");
});
board.addEventListener("toggle", () => { if (stale) soon(); }, true);

document.addEventListener("live:event", (event) => {
  if (["task.changed", "goal.changed"].includes(event.detail.kind)) soon();
});
document.addEventListener("live:behind", soon);
