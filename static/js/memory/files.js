// The drop zone: says what was chosen, and what is too large, before anything is sent.
const form = document.getElementById("give");
const input = document.getElementById("files");
const said = document.getElementById("files-chosen");

function describe() {
  const files = [...input.files];
  const most = Number(form.dataset.mostMb) * 1024 * 1024;
  const large = files.find((file) => file.size > most);
  const total = files.reduce((sum, file) => sum + file.size, 0);
  let problem = "";
  if (large) problem = `${large.name} is larger than ${form.dataset.mostMb} MB.`;
  else if (total > most) problem = `Together they are larger than ${form.dataset.mostMb} MB: give them in turn.`;
  input.setCustomValidity(problem);
  said.textContent = problem || files.map((file) => file.name).join(", ");
}

if (form) {
  const zone = form.querySelector(".drop");
  input.addEventListener("change", describe);
  for (const name of ["dragenter", "dragover"]) zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("drop-over"); });
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("drop-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    input.files = event.dataTransfer.files;
    describe();
  });
}
