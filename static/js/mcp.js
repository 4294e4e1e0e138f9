// A form shows the parts that belong to what is chosen: data-part="stdio" beside a select with data-parts.
function choose(select) {
  for (const part of select.form.querySelectorAll("[data-part]")) part.hidden = part.dataset.part !== select.value;
}
document.addEventListener("change", (event) => { if (event.target.matches("[data-parts]")) choose(event.target); });
function look() { for (const select of document.querySelectorAll("[data-parts]")) choose(select); }
new MutationObserver(look).observe(document.getElementById("dialog"), { childList: true });
look();
