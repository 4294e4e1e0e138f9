// A reply while it is written: typing, then its text as it comes, then the stored message in its place.
import { hurry } from "../times.js";
import { conversationId, stream, tail, thread } from "./dom.js";
import { build } from "./thread.js";
import { change } from "./scroll.js";

const typing = document.getElementById("typing");
const stop = document.getElementById("stop");
const drafts = new Map();
const active = new Set();

function show() {
  typing.hidden = active.size === 0 || drafts.size > 0;
  stop.hidden = active.size === 0;
  stop.dataset.run = [...active].at(-1) ?? "";
}

function draft(runId) {
  let row = drafts.get(runId);
  if (!row) {
    row = build({ direction: "out", author_name: thread.dataset.agent, text: "", created_at: new Date().toISOString(), run_id: runId });
    row.querySelector(".message-text").dataset.streaming = "";
    row.setAttribute("aria-busy", "true");
    drafts.set(runId, row);
    stream.insertBefore(row, tail());
    hurry();
  }
  return row;
}

export function drop(runId) {
  drafts.get(runId)?.remove();
  drafts.delete(runId);
}

function setActive(runId, on) {
  if (on) active.add(runId);
  else active.delete(runId);
  show();
}

function receive({ kind, payload }) {
  if (kind === "reply.delta") {
    change(() => { draft(payload.run_id).querySelector(".message-text").append(payload.text); });
    setActive(payload.run_id, true);
  } else if (kind === "reply.reset") change(() => drop(payload.run_id));
  else if (kind === "typing") {
    if (!payload.on) change(() => drop(payload.run_id));
    setActive(payload.run_id, payload.on);
  } else if (kind === "message.created" && payload.message.direction === "out") {
    change(() => drop(payload.message.run_id));
    setActive(payload.message.run_id, false); // if it goes on, its next words say so
  } else if (kind === "message.handled" && payload.handling !== "unanswered") {
    active.clear();
  } else if (kind === "run.changed" && payload.run.kind === "channel") {
    const live = ["queued", "running"].includes(payload.run.state);
    if (!live) change(() => drop(payload.run.id));
    setActive(payload.run.id, live);
  } else return;
  show();
}

if (conversationId) {
  if (thread.dataset.live) setActive(Number(thread.dataset.live), true);
  document.addEventListener("live:event", (event) => {
    if (event.detail.conversation_id === conversationId) receive(event.detail);
  });
  document.addEventListener("run:cancelled", ({ detail }) => {
    change(() => drop(detail.run));
    setActive(detail.run, false);
  });
  document.addEventListener("live:lost", () => change(() => {
    for (const id of [...drafts.keys()]) drop(id);
    show();
  }));
}
