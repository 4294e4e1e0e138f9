// Messages in their order: what the server rendered, what arrives, and what is on its way.
import { announce } from "../toasts.js";
import { hurry, refreshTimes } from "../times.js";
import { call } from "../api.js";
import { showAttachments } from "./attachments.js";
import { conversationId, find, stream, tail, thread } from "./dom.js";
import { addQuote } from "./quotes.js";
import { change, countUnseen, isFollowing } from "./scroll.js";

const pattern = document.getElementById("message-pattern");
const me = thread?.dataset.person;
const JOIN_MS = 5 * 60_000;

const bySeq = (seq) => stream.querySelector(`.message[data-seq="${seq}"]`);

export function build(message) {
  const row = pattern.content.firstElementChild.cloneNode(true);
  const outbound = message.direction === "out";
  row.dataset.author = outbound ? "agent" : `person-${message.person_id}`;
  row.querySelector(outbound ? ".avatar:not(.avatar-agent)" : ".avatar-agent").remove();
  if (!outbound) {
    const face = row.querySelector(".avatar");
    face.textContent = initials(message.author_name);
    face.classList.add(hue(message.person_id));
  }
  row.querySelector(".message-author").textContent = message.author_name;
  const run = row.querySelector("[data-run-link]");
  if (outbound && message.run_id) run.href = `/runs/${message.run_id}/`;
  else run.remove();
  fill(row, message);
  if (message.reply_to_id) addQuote(row, message.reply_to_id);
  return row;
}

function fill(row, message) {
  if (message.id) row.dataset.id = message.id;
  if (message.seq) row.dataset.seq = message.seq;
  if (message.id) row.id = `m${message.id}`;
  row.dataset.at = message.created_at;
  row.querySelector("time").dateTime = message.created_at;
  if (message.attachments) showAttachments(row, message.attachments);
  const text = row.querySelector(".message-text");
  if (message.html) {
    text.innerHTML = message.html; // rendered and sanitised by the server
    text.classList.remove("plain");
  } else {
    text.textContent = message.text;
    text.classList.add("plain");
  }
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  if (!words.length) return "?";
  return (words[0][0] + (words.length > 1 ? words.at(-1)[0] : words[0][1] || "")).toUpperCase();
}

function hue(key) {
  const sum = new TextEncoder().encode(String(key)).reduce((total, byte) => total + byte, 0);
  return `hue-${(sum % 6) + 1}`;
}

// Consecutive messages of one author stand together under one name.
export function join(row) {
  const before = row.previousElementSibling;
  const same = before?.matches(".message") && before.dataset.author === row.dataset.author && new Date(row.dataset.at) - new Date(before.dataset.at) < JOIN_MS;
  row.toggleAttribute("data-joined", Boolean(same));
}

function place(row) {
  const seq = Number(row.dataset.seq);
  const later = [...stream.querySelectorAll(".message[data-seq]")].find((each) => each !== row && Number(each.dataset.seq) > seq);
  stream.insertBefore(row, later || stream.querySelector(".message[data-pending]") || tail());
  join(row);
  const next = row.nextElementSibling;
  if (next?.matches(".message")) join(next);
}

export function addPending(clientId, text, replyTo = null, attachments = []) {
  document.getElementById("welcome")?.remove();
  const row = build({ direction: "in", person_id: me, author_name: thread.dataset.me, text, attachments, reply_to_id: replyTo, created_at: new Date().toISOString() });
  row.dataset.pending = clientId;
  change(() => stream.insertBefore(row, tail()));
  join(row);
  hurry();
  return row;
}

// The server has it: the waiting row becomes the real one, unless the event was faster.
export function settle(row, message) {
  if (find(message.id) && find(message.id) !== row) {
    row.remove();
    return;
  }
  delete row.dataset.pending;
  row.querySelector(".message-note")?.remove();
  fill(row, message);
  place(row);
  refreshTimes(row);
}

export function arrive(message) {
  if (message.conversation_id !== conversationId || find(message.id) || bySeq(message.seq)) return null;
  document.getElementById("welcome")?.remove();
  const mine = message.direction === "in" && String(message.person_id) === me;
  const waiting = mine && [...stream.querySelectorAll(".message[data-pending]")].find((row) => row.querySelector(".message-text").textContent === message.text);
  if (waiting) {
    settle(waiting, message);
    return waiting;
  }
  const row = build(message);
  change(() => place(row));
  refreshTimes(row);
  if (!mine) {
    announce(`${message.author_name}: ${row.querySelector(".message-text").textContent.slice(0, 400)}`);
    markNew(row);
    countUnseen();
  }
  return row;
}

function markNew(row) {
  if (isFollowing() || stream.querySelector(".divider-new")) return;
  const divider = document.createElement("li");
  divider.className = "divider divider-new";
  divider.textContent = "New messages";
  row.before(divider);
}

let reading = null;
export function markRead() {
  if (!conversationId || document.hidden) return;
  clearTimeout(reading);
  reading = setTimeout(() => call("POST", `/conversations/${conversationId}/read`, { seq: lastSeq() }).catch(() => {}), 600);
}

export function lastSeq() {
  return Math.max(0, ...[...stream.querySelectorAll(".message[data-seq]")].map((row) => Number(row.dataset.seq)));
}

function note(id, text) {
  const row = find(id);
  if (!row || row.querySelector(".message-note.bad")) return;
  const line = document.createElement("p");
  line.className = "message-note bad";
  line.textContent = text;
  change(() => row.querySelector(".message-main").append(line));
}

if (conversationId) {
  document.addEventListener("live:event", (event) => {
    const { kind, payload } = event.detail;
    if (kind === "message.created" && arrive(payload.message)) markRead();
    else if (kind === "delivery.failed") note(payload.message_id, `Not delivered: ${payload.reason}`);
  });
  document.addEventListener("visibilitychange", markRead);
}
