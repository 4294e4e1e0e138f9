// The line above a message that says what it answers.
import { fragment } from "../api.js";
import { conversationId, find } from "./dom.js";
import { change } from "./scroll.js";

const pattern = document.getElementById("quote-pattern");
const QUOTED = 160;

export function describe(row) {
  const text = row.querySelector(".message-text").textContent.split(/\s+/).filter(Boolean).join(" ");
  return {
    id: row.dataset.id,
    author: row.querySelector(".message-author").textContent,
    text: text.length <= QUOTED ? text : `${text.slice(0, QUOTED - 1).trimEnd()}…`,
  };
}

function make({ id, author, text }) {
  const link = pattern.content.firstElementChild.cloneNode(true);
  link.href = `#m${id}`;
  link.dataset.quote = id;
  link.querySelector("strong").textContent = author;
  link.querySelector("span").textContent = text;
  return link;
}

// Put the quote into a row; what the page has not loaded is asked for.
export async function addQuote(row, id) {
  const place = row.querySelector(".message-text");
  if (row.querySelector(".quote")) return;
  const said = find(id);
  if (said) {
    place.before(make(describe(said)));
    return;
  }
  try {
    const html = await fragment(`/chat/${conversationId}/quote/${id}/`);
    if (!row.querySelector(".quote")) change(() => place.insertAdjacentHTML("beforebegin", html));
  } catch { /* the message stands without it until the page is read again */ }
}
