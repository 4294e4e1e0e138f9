// Questions with options: answered where they stand, closed for everyone as soon as one answer counts.
import { call, fragment } from "../api.js";
import { announce, toast } from "../toasts.js";
import { conversationId, find, stream } from "./dom.js";
import { change } from "./scroll.js";

async function draw(id, messageId) {
  const row = find(messageId);
  if (!row) return;
  let html;
  try {
    html = await fragment(`/questions/${id}/?part=card`);
  } catch {
    return;
  }
  const box = document.createElement("template");
  box.innerHTML = html.trim();
  const old = row.querySelector("form.question");
  const hadFocus = old?.contains(document.activeElement);
  change(() => {
    old?.remove();
    row.querySelector(".message-text").replaceWith(box.content);
  });
  const form = row.querySelector("form.question");
  if (old) announce(form.querySelector(".message-note")?.textContent ?? "");
  if (hadFocus) document.getElementById("text")?.focus();
}

async function answer(form, submitter) {
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  const data = new FormData(form, submitter);
  const own = submitter?.name === "own";
  const body = own ? { text: data.get("text") } : { numbers: data.getAll("number").map(Number) };
  try {
    await call("POST", `/questions/${form.dataset.question}/answer`, body);
  } catch (error) {
    toast(error.message);
    if (error.status === 409) draw(form.dataset.question, form.closest(".message").dataset.id);
  } finally {
    delete form.dataset.busy;
  }
}

if (conversationId) {
  stream.addEventListener("submit", (event) => {
    const form = event.target.closest("form.question");
    if (!form) return;
    event.preventDefault();
    answer(form, event.submitter);
  });
  stream.addEventListener("keydown", (event) => {
    const field = event.target.closest(".question-own input");
    if (event.key !== "Enter" || !field) return; // Enter would press the first option
    event.preventDefault();
    field.form.requestSubmit(field.form.querySelector("[name=own]"));
  });
  document.addEventListener("live:event", ({ detail }) => {
    if (detail.kind !== "question.changed" || detail.conversation_id !== conversationId) return;
    const { id, message_id: messageId } = detail.payload.question;
    draw(id, messageId);
  });
}
