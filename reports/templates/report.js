"use strict";
// What a reader can do with a page: sort and copy its tables, and leave out methods. Without this script all is legible.

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
const texts = (row) => [...row.cells].map((cell) => cell.textContent.trim());

// ---- sorting: a click on a heading sorts by it, another one the other way round, a third restores the order

const value = (text) => {
  const number = text.replaceAll("−", "-").replaceAll(",", "").match(/[-+]?\d+(\.\d+)?(e[-+]?\d+)?/i);
  return number ? Number(number[0]) : text;
};
const compare = (a, b) => {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1; // what has no number comes last
  return typeof a === "number" ? a - b : a.localeCompare(b);
};
const sortable = (table) => {
  const body = table.tBodies[0];
  const order = [...body.rows];
  const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  headings.forEach((heading, column) => {
    if (!heading.textContent.trim()) return;
    const button = make("button", { type: "button", textContent: heading.textContent });
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const now = heading.getAttribute("aria-sort");
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      if (now === "ascending") return body.append(...order);
      const sign = now === "descending" ? 1 : -1;
      heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const keys = new Map(order.map((row) => [row, value(texts(row)[column] ?? "")]));
      const rows = [...order].sort((a, b) => {
        const [x, y] = [keys.get(a), keys.get(b)];
        return typeof x === typeof y ? sign * compare(x, y) : compare(x, y);
      });
      body.append(...rows);
    });
  });
};

// ---- copying: the rows that are shown, as CSV or as LaTeX with booktabs

const shownRows = (table) => [...table.tHead.rows].slice(-1).concat([...table.tBodies[0].rows].filter((row) => !row.hidden));
const csv = (table) =>
  shownRows(table)
    .map((row) => texts(row).map((text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(","))
    .join("\n");
const SIGNS = { "−": "$-$", "±": "$\\pm$", "×": "$\\times$", "δ": "$\\delta$", "≤": "$\\le$", "≥": "$\\ge$", "—": "---", "–": "--", "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
const tex = (text) => [...text].map((c) => SIGNS[c] ?? ("&%$#_{}".includes(c) ? `\\${c}` : c)).join("");
const latex = (table) => {
  const [header, ...rows] = shownRows(table).map((row) => `${texts(row).map(tex).join(" & ")} \\\\`);
  const columns = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const align = columns.map((cell) => (cell.classList.contains("number") ? "r" : "l")).join("");
  return [`\\begin{tabular}{${align}}`, "\\toprule", header, "\\midrule", ...rows, "\\bottomrule", "\\end{tabular}"].join("\n");
};
const copying = (table) => {
  const said = make("span", { role: "status" });
  const copy = (name, write) => {
    const button = make("button", { type: "button", textContent: `Copy as ${name}` });
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(write(table));
        said.textContent = "copied";
      } catch {
        said.textContent = "this browser does not allow copying from this page";
      }
    });
    return button;
  };
  table.parentElement.after(make("div", { className: "tools" }, copy("CSV", csv), copy("LaTeX", latex), said));
};

// ---- methods: what is unticked is left out of every figure and every row that is about it

const filtering = () => {
  const rows = [...document.querySelectorAll("table.by-method tbody tr, table.by-pair tbody tr")];
  const named = rows.map((row) => [row, row.cells[0].textContent.trim().split(" − ")]);
  const drawn = [...document.querySelectorAll("[data-method]")];
  const methods = [...new Set([...document.querySelectorAll("table.by-method tbody th:first-child")].map((cell) => cell.textContent.trim()))].filter((name) => !name.startsWith("(")); // a reference is no method
  if (methods.length < 2) return;
  const left = new Set();
  const apply = () => {
    named.forEach(([row, names]) => (row.hidden = names.some((name) => left.has(name))));
    drawn.forEach((element) => element.toggleAttribute("hidden", left.has(element.dataset.method)));
  };
  const boxes = methods.map((method) => {
    const box = make("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => {
      if (box.checked) left.delete(method);
      else left.add(method);
      apply();
    });
    return make("label", {}, box, method);
  });
  document.querySelector("nav").append(make("fieldset", { id: "methods-shown" }, make("legend", { textContent: "Methods shown" }), ...boxes));
};

document.querySelectorAll("main table").forEach((table) => {
  sortable(table);
  copying(table);
});
filtering();

// ---- what a link or a printer needs is opened

const open = (element) => {
  for (let at = element; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
};
const follow = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  open(target);
  target.scrollIntoView();
};
addEventListener("hashchange", follow);
follow();
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(open));

// ---- runs: a filter over all of them, and what a reader opens of one

const kept = document.getElementById("details");
const details = kept ? JSON.parse(kept.textContent) : {};

const NS = make("div", { innerHTML: "<svg></svg>" }).firstChild.namespaceURI;
const drawn = (tag, attributes, ...children) => {
  const element = document.createElementNS(NS, tag);
  Object.entries(attributes).forEach(([name, each]) => element.setAttribute(name, each));
  element.append(...children);
  return element;
};
const shown = (number) => Number(number.toPrecision(4)).toString().replace("-", "−");
const curve = (name, values) => {
  const finite = values.filter((each) => each !== null);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const x = (epoch) => 10 + (280 * epoch) / Math.max(values.length - 1, 1);
  const y = (each) => 90 - (80 * (each - low)) / (high - low || 1);
  const points = values.map((each, epoch) => (each === null ? null : `${x(epoch).toFixed(1)},${y(each).toFixed(1)}`)).filter(Boolean);
  const line = drawn("polyline", { points: points.join(" "), fill: "none", stroke: "currentColor", "stroke-width": 1.5 });
  const dots = values.map((each, epoch) => each !== null && drawn("circle", { cx: x(epoch), cy: y(each), r: 4, fill: "transparent" }, drawn("title", {}, `epoch ${epoch + 1}: ${shown(each)}`)));
  const label = `${name} by epoch, from ${shown(values[0] ?? NaN)} to ${shown(values[values.length - 1] ?? NaN)}`;
  const svg = drawn("svg", { viewBox: "0 0 300 100", role: "img", "aria-label": label }, line, ...dots.filter(Boolean));
  return make("figure", { className: "curve" }, svg, make("figcaption", { textContent: `${name}: ${shown(low)} to ${shown(high)}` }));
};
const matrix = (classes, counts, title) => {
  const head = make("tr", {}, make("th", { textContent: "label \\ predicted", scope: "col" }), ...classes.map((name) => make("th", { textContent: name, scope: "col", className: "number" })));
  const rows = counts.map((row, i) => {
    const total = row.reduce((sum, each) => sum + each, 0);
    const cells = row.map((count) => {
      const share = total ? Math.round((100 * count) / total) : 0;
      const cell = make("td", { textContent: count, className: "number", title: `${share} % of ${classes[i]}` });
      cell.style.background = `color-mix(in srgb, var(--note-edge) ${Math.round(share * 0.55)}%, transparent)`;
      return cell;
    });
    return make("tr", {}, make("th", { textContent: classes[i], scope: "row" }), ...cells);
  });
  return make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: title }, make("table", {}, make("caption", { textContent: title }), make("thead", {}, head), make("tbody", {}, ...rows)));
};
const opened = (run, columns) => {
  const facts = Object.entries(run.facts).flatMap(([name, fact]) => [make("dt", { textContent: name }), make("dd", { textContent: fact })]);
  const parts = [make("div", { className: "curves" }, ...Object.entries(run.curves).map(([name, values]) => curve(name, values)))];
  if (run.confusion) parts.push(matrix(run.classes, run.confusion, `Confusion of ${run.method} on ${run.dataset}, seed ${run.seed}`));
  parts.push(make("dl", { className: "origin" }, ...facts));
  if (run.again) parts.push(make("p", {}, "Make it again and compare its bits: ", make("code", { textContent: run.again })));
  return make("tr", { className: "opened" }, make("td", { colSpan: columns }, ...parts));
};
const runsTable = document.querySelector('tr[id^="run-"]')?.closest("table");
if (runsTable) {
  const rows = [...runsTable.tBodies[0].rows];
  rows.forEach((row) => {
    const key = row.id.slice(4);
    const cell = row.cells[row.cells.length - 1];
    const button = make("button", { type: "button", textContent: key, ariaExpanded: "false" });
    button.addEventListener("click", () => {
      if (row.nextElementSibling?.className === "opened") row.nextElementSibling.remove();
      else row.after(opened(details[key], row.cells.length));
      button.ariaExpanded = String(row.nextElementSibling?.className === "opened");
    });
    cell.replaceChildren(button);
  });
  const search = make("input", { type: "search", id: "filter-runs" });
  const count = make("span", { role: "status" });
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    rows.forEach((row) => row.toggleAttribute("data-other", !words.every((word) => row.textContent.toLowerCase().includes(word))));
    count.textContent = `${rows.filter((row) => !row.hasAttribute("data-other")).length} of ${rows.length} runs`;
  });
  runsTable.parentElement.before(make("p", { className: "tools" }, make("label", { htmlFor: "filter-runs" }, "Runs with all of these words: "), search, count));
}

// ---- the confusion matrix of any method, summed over its seeds

const confusable = Object.values(details).filter((run) => run.confusion);
const chapter = document.getElementById("per-class")?.parentElement;
if (chapter && confusable.length) {
  const groups = Map.groupBy ? Map.groupBy(confusable, (run) => `${run.method} on ${run.dataset}`) : new Map();
  const choice = make("select", { id: "confusion-of" }, ...[...groups.keys()].map((name) => make("option", { textContent: name })));
  const place = make("div");
  const show = () => {
    const runs = groups.get(choice.value);
    const sum = runs[0].confusion.map((row, i) => row.map((_, j) => runs.reduce((total, run) => total + run.confusion[i][j], 0)));
    place.replaceChildren(matrix(runs[0].classes, sum, `Confusion of ${choice.value}, counts over ${runs.length} seeds`));
  };
  choice.addEventListener("change", show);
  if (groups.size) {
    chapter.append(make("p", { className: "tools" }, make("label", { htmlFor: "confusion-of" }, "Confusion matrix of "), choice), place);
    show();
  }
}
