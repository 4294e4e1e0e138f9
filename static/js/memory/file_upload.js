// Files are sent one after another, each with a bar and an outcome in words. Without this module the form sends them.
import { announce } from "../toasts.js";

const form = document.getElementById("file-give");
const input = document.getElementById("file-input");
const zone = document.getElementById("file-drop");
const uploads = document.getElementById("file-uploads");
const { organization, csrf } = document.body.dataset;
const waiting = [];
let sending = false;

function line(name) {
  const item = document.createElement("li");
  const title = document.createElement("span");
  title.className = "title cut";
  title.textContent = name;
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", `Upload of ${name}`);
  const words = document.createElement("span");
  words.className = "small";
  item.append(title, bar, words);
  uploads.prepend(item);
  uploads.hidden = false;
  return { bar, words };
}

function say(shown, name, text, kind) {
  shown.bar.remove();
  shown.words.textContent = text;
  shown.words.classList.add(kind);
  announce(`${name}: ${text}`);
}

function outcome(status, answer) {
  if (status === 201) return ["Uploaded. It waits for its turn.", "state-good"];
  if (status === 200) return [`Known already as “${answer.name}”: the same content is not read twice.`, "muted"];
  if (status === 0) return ["The server cannot be reached. Nothing was kept; try again.", "problem"];
  if (status === 413) return [`It is larger than ${form.dataset.mostMb} MB. Nothing was kept.`, "problem"];
  return [answer.detail || answer.title || `The server answered ${status}.`, "problem"];
}

function send({ file, audience, shown }) {
  return new Promise((done) => {
    const body = new FormData();
    body.append("audience", audience);
    body.append("file", file);
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/agents/${form.dataset.agent}/files`);
    request.setRequestHeader("X-CSRFToken", csrf);
    request.setRequestHeader("X-Organization", organization);
    request.upload.addEventListener("progress", (event) => {
      shown.bar.max = event.total || 1;
      shown.bar.value = event.loaded;
    });
    request.addEventListener("loadend", () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch { /* the status speaks */ }
      say(shown, file.name, ...outcome(request.status, answer));
      done();
    });
    request.send(body);
  });
}

async function work() {
  if (sending) return;
  sending = true;
  while (waiting.length) await send(waiting.shift());
  sending = false;
}

function take(files) {
  const audience = form.elements.audience.value;
  for (const file of files) {
    const shown = line(file.name);
    if (file.size > Number(form.dataset.most)) say(shown, file.name, `It is larger than ${form.dataset.mostMb} MB. Nothing was sent.`, "problem");
    else if (!file.size) say(shown, file.name, "It is empty. Nothing was sent.", "problem");
    else waiting.push({ file, audience, shown });
  }
  work();
}

if (form) {
  document.getElementById("file-send").hidden = true;
  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      zone.dataset.over = "";
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => delete zone.dataset.over);
  zone.addEventListener("drop", (event) => take(event.dataTransfer.files));
  // A file that misses the zone would else replace the page.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => carries(event) && event.preventDefault());
}
