// The memories of the drawing as a list, for keyboards and screen readers, and the one that is chosen.
const list = document.getElementById("graph-list");
const field = document.getElementById("graph-find");
const count = document.getElementById("graph-count");
const panel = document.getElementById("graph-chosen");
let rows = [];
let pick = () => {};

function button(text, className, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = className;
  const words = document.createElement("span");
  words.textContent = text;
  made.append(words);
  made.addEventListener("click", act);
  return made;
}

function line(memory) {
  const item = document.createElement("li");
  const made = button(memory.content, `graph-item graph-key graph-${memory.type}`, () => pick(memory.id));
  made.dataset.node = memory.id;
  item.append(made);
  return item;
}

function refresh() {
  const words = field.value.trim().toLowerCase();
  const found = rows.filter((memory) => memory.content.toLowerCase().includes(words));
  list.replaceChildren(...found.map(line));
  count.textContent = words ? `${found.length} of ${rows.length} memories` : `${rows.length} memories`;
}

export function showList(memories, choose) {
  rows = memories.sort((a, b) => b.pinned - a.pinned || b.importance - a.importance || b.id - a.id);
  pick = choose;
  refresh();
}

export function showChosen(memory, beside = [], { choose, expand, clear } = {}) {
  panel.hidden = !memory;
  panel.replaceChildren();
  if (!memory) return;
  const text = document.createElement("p");
  text.className = "memory-whole";
  text.textContent = memory.content;
  const open = document.createElement("a");
  open.className = "button button-small";
  open.href = `/memory/${memory.id}/`;
  open.dataset.drawer = "";
  open.textContent = "Open";
  const actions = document.createElement("div");
  actions.className = "row row-wrap";
  actions.append(open);
  const hidden = memory.ties - beside.length;
  if (hidden > 0) actions.append(button(`Show ${hidden} more around it`, "button button-small", () => expand(memory.id)));
  actions.append(button("Clear", "button button-quiet button-small", clear));
  panel.append(text, actions);
  if (beside.length) {
    const heading = document.createElement("p");
    heading.className = "tiny muted";
    heading.textContent = "Hangs together with";
    const others = document.createElement("ul");
    others.className = "graph-list";
    others.setAttribute("role", "list");
    for (const other of beside) {
      const item = document.createElement("li");
      item.append(button(other.content, `graph-item graph-key graph-${other.type}`, () => choose(other.id)));
      others.append(item);
    }
    panel.append(heading, others);
  }
  panel.scrollIntoView({ block: "nearest" });
}

field?.addEventListener("input", refresh);
list?.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const all = [...list.querySelectorAll("button")];
  all[all.indexOf(document.activeElement) + step]?.focus();
  event.preventDefault();
});
