// Short notes that go by themselves, read out to screen readers.
export function toast(text) {
  const note = document.createElement("div");
  note.className = "toast";
  note.textContent = text;
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), 6000);
}

export function announce(text) {
  const line = document.createElement("p");
  line.textContent = text;
  const log = document.getElementById("announce");
  log.append(line);
  while (log.childElementCount > 5) log.firstElementChild.remove();
}
