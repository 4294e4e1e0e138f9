// Runs before the first paint: the colours chosen in this browser, if any.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch { /* storage refused: the system decides */ }
