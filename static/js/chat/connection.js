// Where the connection was lost, a divider shows it; what was missed follows below.
import { fragment } from "../api.js";
import { refreshTimes } from "../times.js";
import { conversationId, stream, tail } from "./dom.js";
import { drawAll } from "./reactions.js";
import { change, toNewest } from "./scroll.js";
import { markRead } from "./thread.js";

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const SHORT_MS = 1500;
let divider = null;

function lost({ detail }) {
  divider = document.createElement("li");
  divider.className = "divider divider-lost";
  divider.setAttribute("role", "status");
  divider.textContent = `Connection lost at ${clock.format(detail.at)}`;
  change(() => stream.insertBefore(divider, tail()));
}

function back({ detail }) {
  if (!divider) return;
  if (detail.at - detail.lostAt < SHORT_MS) divider.remove();
  else divider.textContent = `Connection lost ${clock.format(detail.lostAt)} – ${clock.format(detail.at)}`;
  divider = null;
  markRead();
}

// Too much was missed to tell it message by message: take the newest page as it is now.
async function behind() {
  try {
    const page = new DOMParser().parseFromString(await fragment(location.pathname), "text/html");
    const pending = [...stream.querySelectorAll(".message[data-pending]")];
    stream.replaceChildren(...page.getElementById("stream").childNodes);
    for (const row of pending) stream.insertBefore(row, tail());
    refreshTimes(stream);
    drawAll(stream);
    toNewest();
  } catch { /* the dot shows that we are away; the next connection tries again */ }
}

if (conversationId) {
  document.addEventListener("live:lost", lost);
  document.addEventListener("live:back", back);
  document.addEventListener("live:behind", behind);
}
