// Emoji on messages: a small picker, chips with who put them there, a click to join in or take back.
import { call } from "../api.js";
import { toast } from "../toasts.js";
import { find, stream, thread } from "./dom.js";
import { change } from "./scroll.js";

const me = `person-${thread?.dataset.person}`;
let picker = null;

function draw(chip, names) {
  const who = Object.keys(names);
  if (!who.length) {
    chip.remove();
    return;
  }
  chip.dataset.by = JSON.stringify(names);
  chip.querySelector(".reaction-count").textContent = who.length;
  chip.setAttribute("aria-pressed", String(me in names));
  chip.title = Object.values(names).join(", ");
  chip.setAttribute("aria-label", `${chip.textContent}: ${chip.title}`);
}

function make(emoji) {
  const chip = document.createElement("button");
  chip.type = "button";
  chip.className = "reaction";
  chip.dataset.reaction = emoji;
  chip.innerHTML = '<span class="emoji"></span><span class="reaction-count"></span>';
  chip.firstElementChild.textContent = emoji;
  return chip;
}

function show({ message_id: id, emoji, by, person_id: person, on = true }) {
  const box = find(id)?.querySelector(".reactions");
  if (!box) return;
  let chip = [...box.children].find((each) => each.dataset.reaction === emoji);
  const names = JSON.parse(chip?.dataset.by || "{}");
  const who = person ? `person-${person}` : "agent";
  if (on) names[who] = by;
  else delete names[who];
  change(() => {
    if (!chip && on) box.append(chip = make(emoji));
    if (chip) draw(chip, names);
  });
}

async function toggle(row, emoji, on) {
  const id = Number(row.dataset.id);
  const mine = { message_id: id, emoji, by: thread.dataset.me, person_id: thread.dataset.person };
  show({ ...mine, on });
  try {
    await call(on ? "PUT" : "DELETE", `/messages/${id}/reactions/${encodeURIComponent(emoji)}`);
  } catch (error) {
    show({ ...mine, on: !on });
    toast(error.message);
  }
}

function close() {
  if (!picker) return false;
  const button = picker.parentElement?.querySelector("[data-react]");
  button?.setAttribute("aria-expanded", "false");
  if (picker.contains(document.activeElement)) button?.focus();
  picker.remove();
  picker = null;
  return true;
}

function open(button) {
  picker = document.getElementById("picker-pattern").content.firstElementChild.cloneNode(true);
  button.setAttribute("aria-expanded", "true");
  button.after(picker);
  picker.querySelector("button").focus();
}

export function drawAll(root) {
  for (const chip of root.querySelectorAll(".reaction")) draw(chip, JSON.parse(chip.dataset.by));
}

if (stream) {
  drawAll(stream);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-react]");
    const wasOpen = picker?.parentElement === button?.parentElement;
    const pick = event.target.closest("[data-pick]");
    if (pick) toggle(pick.closest(".message"), pick.dataset.pick, true);
    close();
    if (button && !wasOpen) open(button);
    const chip = event.target.closest(".reaction");
    if (chip) toggle(chip.closest(".message"), chip.dataset.reaction, chip.getAttribute("aria-pressed") !== "true");
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && close()) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);
  document.addEventListener("live:event", (event) => {
    if (event.detail.kind === "message.reacted") show(event.detail.payload);
  });
}
