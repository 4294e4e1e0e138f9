// The conversation list: search as you type, unread counts, newest first.
import { fragment } from "../api.js";
import { released } from "../press.js";
import { refreshTimes } from "../times.js";
import { conversationId } from "./dom.js";

const list = document.getElementById("conversations");
const search = document.querySelector("[data-search-field]");
let waiting = null;
let asked = 0;
let pages = 1;

async function reread() {
  const mine = ++asked;
  const address = new URL(list.dataset.source, location.href);
  if (search.value.trim()) address.searchParams.set("q", search.value.trim());
  if (conversationId) address.searchParams.set("open", conversationId);
  if (pages > 1) address.searchParams.set("pages", pages);
  try {
    const html = await fragment(address);
    await released(list);
    if (mine !== asked) return;
    const held = document.activeElement?.closest?.("#conversations a")?.getAttribute("href");
    const top = list.scrollTop;
    list.innerHTML = html;
    list.scrollTop = top;
    refreshTimes(list);
    if (held) list.querySelector(`a[href="${CSS.escape(held)}"]`)?.focus();
  } catch (error) {
    if (mine !== asked || !search.value) return;
    list.innerHTML = '<div class="empty"><strong></strong><button class="button" type="button" data-list-retry>Try again</button></div>';
    list.querySelector("strong").textContent = error.message;
  }
}

export function soon(ms = 350) {
  clearTimeout(waiting);
  waiting = setTimeout(reread, ms);
}

search.addEventListener("input", () => {
  pages = 1;
  soon(180);
});
search.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown") return;
  event.preventDefault();
  list.querySelector("a")?.focus();
});
list.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const links = [...list.querySelectorAll("a.conversation")];
  const next = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  if (next < 0) search.focus();
  else links[next]?.focus();
  event.preventDefault();
});
list.addEventListener("click", async (event) => {
  const more = event.target.closest("[data-more-conversations]");
  if (more) {
    const shown = list.querySelectorAll("a.conversation").length;
    pages = Number(more.dataset.moreConversations);
    await reread();
    list.querySelectorAll("a.conversation")[shown]?.focus({ preventScroll: true });
  } else if (event.target.closest("[data-list-retry]")) reread();
});
document.addEventListener("live:event", (event) => {
  if (["message.created", "conversation.changed"].includes(event.detail.kind)) soon(conversationId === event.detail.conversation_id ? 900 : 350);
});
document.addEventListener("live:event", ({ detail }) => {
  if (detail.kind !== "conversation.changed" || detail.conversation_id !== conversationId) return;
  const title = detail.payload.conversation.title;
  if (!title) return;
  document.getElementById("thread-title").textContent = title;
  document.title = `${title} · Spacebot`;
});
document.addEventListener("live:behind", () => soon());
