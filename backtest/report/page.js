"use strict";

const root = document.documentElement;
const button = document.getElementById("theme");
const touch = matchMedia("(pointer: coarse)").matches;
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const figures = JSON.parse(document.getElementById("specs-of-figures").textContent);

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches;
}

// A colour in a figure is the name of a variable of the style sheet; plotly wants its value in the present theme.
function coloured(spec) {
  const probe = document.createElement("i");
  root.append(probe);
  const text = JSON.stringify(spec).replace(/"(var\(--[\w-]+\))"/g, (_, name) => {
    probe.style.color = name;
    return JSON.stringify(getComputedStyle(probe).color);
  });
  probe.remove();
  return JSON.parse(text);
}

function merged(base, more) {
  const found = { ...base };
  for (const [key, value] of Object.entries(more)) {
    const both = value && base[key] && typeof value === "object" && !Array.isArray(value);
    found[key] = both ? merged(base[key], value) : value;
  }
  return found;
}

function isNarrow(place) {
  return place.clientWidth < 560;
}

function layoutOf(place, given) {
  const { wide, ...layout } = given;
  const narrow = isNarrow(place);
  const axis = {
    automargin: true, gridcolor: "var(--rule)", zerolinecolor: "var(--axis)", linecolor: "var(--axis)",
    tickfont: { size: narrow ? 11 : 12 }, fixedrange: touch, nticks: narrow ? 5 : undefined,
  };
  const base = {
    height: 360,
    margin: { l: 8, r: wide ? 70 : 12, t: 12, b: 8 },
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: "var(--quiet)" },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    hoverlabel: { bgcolor: "var(--raised)", bordercolor: "var(--axis)", font: { color: "var(--ink)" }, namelength: -1 },
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", font: { size: 12 } },
    showlegend: true,
    modebar: { bgcolor: "rgba(0,0,0,0)", color: "var(--faint)", activecolor: "var(--accent)", orientation: "h" },
    dragmode: touch ? false : "zoom",
    xaxis: { ...axis, showgrid: Boolean(wide) },
    yaxis: wide ? { ...axis, nticks: undefined, dtick: 1 } : axis,
  };
  return merged(base, layout);
}

// Where there is little room beside a bar, its text goes into it.
function traceOf(place, trace) {
  const tight = trace.textposition === "outside" && isNarrow(place);
  return tight ? { ...trace, textposition: "auto", insidetextanchor: "end", textangle: 0 } : trace;
}

const config = {
  displaylogo: false,
  responsive: true,
  showTips: false,
  displayModeBar: matchMedia("(hover: hover)").matches ? "hover" : false,
  modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
};

function draw(name) {
  const place = document.getElementById(name);
  const { data, layout } = figures[name];
  const spec = coloured({ data: data.map((trace) => traceOf(place, trace)), layout: layoutOf(place, layout) });
  return Plotly.react(place, spec.data, spec.layout, config);
}

function drawAll() {
  button.textContent = isDark() ? "Light theme" : "Dark theme";
  for (const name of Object.keys(figures)) if (document.getElementById(name).dataset.drawn) draw(name);
}

// At once, before the page counts as loaded: what prints it or takes its picture then finds it whole.
function start() {
  drawAll();
  for (const name of Object.keys(figures)) {
    draw(name);
    document.getElementById(name).dataset.drawn = "yes";
  }
  root.dataset.ready = "yes";
}

button.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  drawAll();
});
prefersDark.addEventListener("change", drawAll);
// A link to a query opens it.
addEventListener("hashchange", () => {
  const place = document.getElementById(location.hash.slice(1));
  if (place?.tagName === "DETAILS") place.open = true;
});
try {
  start();
} catch (error) {
  const said = document.createElement("p");
  said.className = "warning";
  said.textContent = `This browser cannot draw the pictures (${error.message}); the numbers behind them can be read.`;
  document.querySelector("main, figure").before(said);
  throw error;
}
