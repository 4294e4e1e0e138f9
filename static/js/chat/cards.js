// Live cards for branches and workers: what each does now, for how long, and a way to stop it.
import { hurry } from "../times.js";
import { announce } from "../toasts.js";
import { conversationId, stream, tail } from "./dom.js";
import { change } from "./scroll.js";

const pattern = document.getElementById("card-pattern");
const LIVE = ["queued", "running", "waiting"];
const words = {
  queued: "Waiting to start", running: "Working", waiting: "Waiting for input", succeeded: "Done",
  failed: "Failed", cancelled: "Cancelled", timed_out: "Ran out of time", interrupted: "Interrupted",
};
const outcomes = { partial: "Partly done", failed: "Did not work out" };

const find = (id) => stream.querySelector(`.run-card[data-run="${id}"]`);

function make(run) {
  const card = pattern.content.firstElementChild.cloneNode(true);
  card.dataset.run = run.id;
  card.id = `run-${run.id}`;
  for (const each of card.querySelectorAll("[data-icon]")) if (each.dataset.icon !== run.kind) each.remove();
  card.querySelector(".run-card-title").href = `/runs/${run.id}/`;
  card.querySelector(".stop").dataset.run = run.id;
  stream.insertBefore(card, tail());
  return card;
}

function describe(run) {
  if (run.state === "failed" || run.state === "timed_out") return run.failure || words[run.state];
  if (run.state === "succeeded") return outcomes[run.outcome] || words.succeeded;
  if (!LIVE.includes(run.state)) return words[run.state];
  if (run.waiting_for === "question") return "Waiting for an answer";
  if (run.waiting_for === "approval") return "Waiting for approval";
  return run.status_text || words[run.state] || run.state;
}

export function update(run) {
  const card = find(run.id) || make(run);
  const live = LIVE.includes(run.state);
  const wasLive = card.hasAttribute("data-live");
  card.toggleAttribute("data-live", live);
  card.dataset.state = run.state;
  const title = run.title || (run.kind === "branch" ? "Thinking" : "Working");
  card.querySelector(".run-card-title").textContent = title;
  card.querySelector(".stop .sr-only").textContent = `Cancel: ${title}`;
  card.querySelector(".what").textContent = describe(run);
  card.querySelector(".tool").textContent = live ? run.current_tool || "" : "";
  const elapsed = card.querySelector(".elapsed");
  elapsed.dataset.since = run.started_at || run.created_at;
  if (run.finished_at) elapsed.dataset.until = run.finished_at;
  else delete elapsed.dataset.until;
  if (wasLive && !live) announce(`${title}: ${describe(run)}`);
  hurry();
}

if (conversationId) {
  document.addEventListener("live:event", (event) => {
    const { kind, payload } = event.detail;
    if (event.detail.conversation_id !== conversationId) return;
    if (kind === "run.changed" && ["branch", "worker", "colleague"].includes(payload.run.kind) && !payload.run.report_to_id) change(() => update(payload.run));
    if (kind === "run.activity") {
      const card = find(payload.run_id);
      if (!card) return;
      card.querySelector(".tool").textContent = payload.tool || "";
      if (payload.status) card.querySelector(".what").textContent = payload.status;
    }
  });
}
