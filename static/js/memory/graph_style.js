// Colours of the drawing, taken from the page's own, so that light and dark follow it.
const TYPES = ["fact", "preference", "decision", "identity", "event", "observation", "goal", "todo", "human"];

function colour(name) {
  const probe = document.createElement("i");
  probe.className = name;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export function makeStyle() {
  const ink = colour("graph-ink");
  const accent = colour("graph-accent");
  return [
    { selector: "node", style: { width: "mapData(weight, 0, 1, 10, 30)", height: "mapData(weight, 0, 1, 10, 30)", label: "data(label)", color: ink, "font-size": 9, "text-wrap": "ellipsis", "text-max-width": 110, "text-valign": "bottom", "text-margin-y": 4, "min-zoomed-font-size": 8 } },
    ...TYPES.map((type) => ({ selector: `node[type = "${type}"]`, style: { "background-color": colour(`graph-${type}`) } })),
    { selector: "node[pinned = 1]", style: { "border-width": 2.5, "border-color": accent } },
    { selector: "edge", style: { width: "mapData(weight, 0, 1, 0.6, 2.4)", "line-color": colour("graph-line"), "curve-style": "haystack" } },
    { selector: 'edge[relation = "contradicts"]', style: { "line-color": colour("graph-bad"), "line-style": "dashed" } },
    { selector: ".faint", style: { opacity: 0.18 } },
    { selector: ".near", style: { "line-color": accent } },
    { selector: ".chosen", style: { "border-width": 3, "border-color": accent, "min-zoomed-font-size": 0, "font-weight": 600 } },
  ];
}
