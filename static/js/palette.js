// The command palette: pages, actions and conversations by a few letters.
const palette = document.getElementById("palette");
const field = palette.querySelector("input");
const list = document.getElementById("palette-list");
let asked = 0;

const options = () => [...list.querySelectorAll("[role=option]")];

function choose(option) {
  for (const each of options()) each.setAttribute("aria-selected", String(each === option));
  if (!option) return field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-activedescendant", option.id);
  option.scrollIntoView({ block: "nearest" });
}

async function look() {
  const mine = ++asked;
  const response = await fetch(`${list.dataset.search}?q=${encodeURIComponent(field.value)}`, { headers: { "X-Fragment": "1" } }).catch(() => null);
  if (mine !== asked) return;
  list.innerHTML = response?.ok ? await response.text() : '<p class="empty">The search did not answer. Type again to retry.</p>';
  choose(options()[0]);
}

export function openPalette() {
  if (palette.open) return;
  field.value = "";
  palette.showModal();
  look();
}

let waiting;
field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(look, 120);
});
field.addEventListener("keydown", (event) => {
  const all = options();
  const at = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") choose(all[(at + 1) % all.length]);
  else if (event.key === "ArrowUp") choose(all[(at - 1 + all.length) % all.length]);
  else if (event.key === "Enter") all[at]?.click();
  else return;
  event.preventDefault();
});
list.addEventListener("click", (event) => event.target.closest("[role=option]") && palette.close());
document.addEventListener("click", (event) => event.target.closest("[data-palette]") && openPalette());
