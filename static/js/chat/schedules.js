// Cards of what an agent proposes to run: confirmed, discarded or paused where they stand.
import { call, fragment } from "../api.js";
import { released } from "../press.js";
import { announce, toast } from "../toasts.js";
import { conversationId, stream, tail } from "./dom.js";
import { change } from "./scroll.js";

const find = (id) => document.getElementById(`schedule-${id}`);
const paths = { confirm: ["POST", "/confirm"], pause: ["POST", "/pause"], discard: ["DELETE", ""] };

const asked = new Map();

// Of two answers the older could come last.
async function draw(id) {
  const mine = (asked.get(id) ?? 0) + 1;
  asked.set(id, mine);
  let html;
  try {
    html = await fragment(`/schedule/${id}/card/`);
  } catch (error) {
    if (error.status === 404) change(() => find(id)?.remove());
    return;
  }
  await released(stream);
  if (asked.get(id) !== mine) return;
  const box = document.createElement("template");
  box.innerHTML = html.trim();
  const card = box.content.firstElementChild;
  const old = find(id);
  const hadFocus = old?.contains(document.activeElement);
  change(() => (old ? old.replaceWith(card) : stream.insertBefore(card, tail())));
  if (!old) announce(`Proposed: ${card.querySelector(".run-card-title").textContent}. ${card.querySelector(".run-card-status").textContent}`);
  if (hadFocus) card.querySelector("button, a")?.focus();
}

async function act(button) {
  const id = button.closest("[data-schedule]").dataset.schedule;
  const [method, path] = paths[button.dataset.scheduleAct];
  button.disabled = true;
  try {
    await call(method, `/schedules/${id}${path}`, method === "POST" ? {} : undefined);
  } catch (error) {
    toast(error.message);
  }
  draw(id);
}

if (conversationId) {
  stream.addEventListener("click", (event) => {
    const button = event.target.closest("[data-schedule-act]");
    if (button) act(button);
  });
  document.addEventListener("live:event", ({ detail }) => {
    if (detail.kind !== "schedule.changed" || detail.conversation_id !== conversationId) return;
    const { schedule_id: id, state } = detail.payload;
    if (state === "proposed" || find(id)) draw(id);
  });
}
