// Answering one message: chosen with its button, shown above the composer, dropped with Escape or when sent.
import { find } from "./dom.js";
import { describe } from "./quotes.js";

const bar = document.getElementById("replying");
const field = document.getElementById("text");
let chosen = null;

export function choose(id) {
  const row = id && find(id);
  chosen = row ? Number(id) : null;
  bar.hidden = !row;
  if (!row) return;
  const { author, text } = describe(row);
  bar.querySelector("strong").textContent = author;
  bar.querySelector("strong + span").textContent = text;
  field.focus();
}

// Return the message that the next one answers, and forget it.
export function take() {
  const id = chosen;
  if (bar) choose(null);
  return id;
}

if (bar) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-reply]");
    if (button) choose(button.closest(".message").dataset.id);
    if (event.target.closest("[data-reply-drop]")) {
      choose(null);
      field.focus();
    }
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !chosen) return;
    event.stopPropagation();
    event.preventDefault();
    choose(null);
  });
}
