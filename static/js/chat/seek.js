// Going to a message: from a quote, or from an address that names it, loading older pages until it is there.
import { find, stream } from "./dom.js";
import { loadOlder } from "./history.js";

const MOST_PAGES = 40;
const SHOWN_MS = 2500;

async function seek(id) {
  for (let page = 0; !find(id) && page < MOST_PAGES; page += 1) {
    if (!(await loadOlder())) break;
  }
  const row = find(id);
  if (!row) return;
  row.scrollIntoView({ block: "center" });
  row.dataset.sought = "";
  setTimeout(() => delete row.dataset.sought, SHOWN_MS);
}

if (stream) {
  stream.addEventListener("click", (event) => {
    const link = event.target.closest("[data-quote]");
    if (!link) return;
    event.preventDefault();
    seek(link.dataset.quote);
  });
  if (/^#m\d+$/.test(location.hash)) seek(location.hash.slice(2));
}
