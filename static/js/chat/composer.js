// Writing and sending. What is typed is kept in this browser until the server has it.
import { call } from "../api.js";
import { toast } from "../toasts.js";
import { conversationId } from "./dom.js";
import { hasFiles, isUploading, takeFiles } from "./files.js";
import { choose, take } from "./reply.js";
import { toNewest } from "./scroll.js";
import { addPending, settle } from "./thread.js";

const form = document.getElementById("composer");
const field = document.getElementById("text");
const DRAFT = `draft:${conversationId}`;
const UNSENT = `unsent:${conversationId}`;

const read = (key) => { try { return localStorage.getItem(key) || ""; } catch { return ""; } };
function keep(key, value) {
  try {
    if (value) localStorage.setItem(key, value);
    else localStorage.removeItem(key);
  } catch { /* storage refused: the text stays in the field */ }
}

const unsent = () => JSON.parse(read(UNSENT) || "{}");
function remember(clientId, message) {
  const all = unsent();
  if (message === null) delete all[clientId];
  else all[clientId] = message;
  keep(UNSENT, Object.keys(all).length ? JSON.stringify(all) : "");
}

function fit() {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

function failed(row, clientId, message, error) {
  const line = row.querySelector(".message-note") || row.querySelector(".message-main").appendChild(document.createElement("p"));
  line.className = "message-note bad";
  line.setAttribute("role", "alert");
  line.replaceChildren(`Not sent. ${error.message} Your text is kept. `);
  const again = document.createElement("button");
  again.type = "button";
  again.className = "button button-small";
  again.textContent = "Send again";
  again.addEventListener("click", () => {
    line.remove();
    deliver(row, clientId, message);
  });
  const drop = document.createElement("button");
  drop.type = "button";
  drop.className = "button button-small button-quiet";
  drop.textContent = "Edit";
  drop.addEventListener("click", () => {
    row.remove();
    remember(clientId, null);
    field.value = field.value ? `${message.text}\n${field.value}` : message.text;
    keep(DRAFT, field.value);
    choose(message.reply_to_id);
    field.focus();
    fit();
  });
  line.append(again, drop);
}

async function deliver(row, clientId, message) {
  try {
    const answer = await call("POST", `/conversations/${conversationId}/messages`, { ...message, client_id: clientId });
    remember(clientId, null);
    settle(row, answer.message ?? answer);
  } catch (error) {
    failed(row, clientId, message, error);
  }
}

function newId() {
  return crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function send(message, files) {
  const clientId = newId();
  remember(clientId, message);
  const row = addPending(clientId, message.text, message.reply_to_id, files);
  toNewest();
  deliver(row, clientId, message);
}

function submit() {
  const text = field.value.trim();
  if (!text && !hasFiles()) return;
  if (isUploading()) {
    toast("A file is still being uploaded.");
    return;
  }
  const files = takeFiles();
  field.value = "";
  keep(DRAFT, "");
  fit();
  const message = { text: text || `Sent ${files.map((file) => file.name).join(", ")}`, reply_to_id: take() };
  if (files.length) message.attachment_ids = files.map((file) => file.id);
  send(message, files);
}

if (conversationId && form) {
  field.value = field.value || read(DRAFT);
  fit();
  field.addEventListener("input", () => { keep(DRAFT, field.value); fit(); });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  document.addEventListener("click", (event) => {
    const suggestion = event.target.closest("[data-suggest]");
    if (!suggestion) return;
    field.value = suggestion.dataset.suggest;
    keep(DRAFT, field.value);
    fit();
    field.focus();
  });
  for (const [clientId, message] of Object.entries(unsent())) {
    deliver(addPending(clientId, message.text, message.reply_to_id), clientId, message);
  }
  if (matchMedia("(min-width: 761px)").matches) field.focus({ preventScroll: true });
}
