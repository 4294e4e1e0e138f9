// Older messages come while the reader scrolls up, without moving what is on the screen.
import { fragment } from "../api.js";
import { refreshTimes } from "../times.js";
import { conversationId, stream } from "./dom.js";
import { drawAll } from "./reactions.js";
import { prepend } from "./scroll.js";
import { join } from "./thread.js";

let loading = null;

function load(marker) {
  loading ??= fetchPage(marker).finally(() => { loading = null; });
  return loading;
}

// Load the page before; false at the beginning of the conversation, or when it did not come.
export async function loadOlder() {
  const marker = stream.querySelector("[data-older]");
  return marker ? load(marker) : false;
}

async function fetchPage(marker) {
  marker.textContent = "Loading older messages …";
  try {
    const page = document.createElement("template");
    page.innerHTML = await fragment(marker.dataset.older);
    const first = marker.nextElementSibling;
    prepend(() => marker.replaceWith(page.content));
    refreshTimes(stream);
    if (first?.matches(".message")) join(first);
    drawAll(stream);
    watch();
    return true;
  } catch (error) {
    marker.replaceChildren(`${error.message} `);
    const again = document.createElement("button");
    again.type = "button";
    again.className = "button button-small";
    again.textContent = "Try again";
    again.addEventListener("click", () => load(marker));
    marker.append(again);
    return false;
  }
}

const observer = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    observer.unobserve(entry.target);
    load(entry.target);
  }
}, { rootMargin: "400px 0px 0px 0px" });

function watch() {
  const marker = stream.querySelector("[data-older]");
  if (marker) observer.observe(marker);
}

if (conversationId) watch();
