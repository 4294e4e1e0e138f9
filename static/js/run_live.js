// What a command of the run, or its coding agent, says while it says it: the newest part, until the page is drawn anew with the call's result.
const MOST = 20000;
const section = document.getElementById("run-live");
const text = section?.querySelector(".block");
let current = "";

function show(payload) {
  if (payload.call !== current) {
    current = payload.call;
    text.textContent = "";
  }
  const atEnd = text.scrollTop + text.clientHeight >= text.scrollHeight - 8;
  text.textContent = (text.textContent + payload.text).slice(-MOST);
  section.hidden = false;
  if (atEnd) text.scrollTop = text.scrollHeight;
}

if (section) {
  const run = Number(section.dataset.run);
  document.addEventListener("live:event", ({ detail }) => {
    if (detail.kind === "shell.output" && detail.payload.run_id === run) show(detail.payload);
    if (detail.kind === "run.changed" && detail.payload.run?.id === run && detail.payload.run.finished_at) section.hidden = true;
  });
}
