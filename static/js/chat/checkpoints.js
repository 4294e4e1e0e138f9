// A quiet line behind the last of the messages that a summary stands for; it opens to show the summary.
import { conversationId, stream } from "./dom.js";
import { change } from "./scroll.js";

const pattern = document.getElementById("checkpoint-pattern");

function add(row) {
  if (row.level !== 0 || document.getElementById(`checkpoint-${row.id}`)) return;
  const last = stream.querySelector(`.message[data-seq="${row.to_seq}"]`);
  if (!last) return; // not loaded: it comes with its page
  const line = pattern.content.firstElementChild.cloneNode(true);
  line.id = `checkpoint-${row.id}`;
  line.dataset.to = row.to_seq;
  line.querySelector(".checkpoint-title").textContent = row.title;
  line.querySelector(".checkpoint-range").textContent = `${row.from_seq} to ${row.to_seq}`;
  line.querySelector(".checkpoint-text").textContent = row.summary;
  const link = line.querySelector("a");
  if (row.run_id) link.href = `/runs/${row.run_id}/`;
  else link.remove();
  change(() => {
    last.after(line);
    line.nextElementSibling?.removeAttribute("data-joined");
  });
}

if (conversationId) {
  document.addEventListener("live:event", ({ detail }) => {
    if (detail.kind === "checkpoint.created" && detail.conversation_id === conversationId) add(detail.payload.checkpoint);
  });
}
