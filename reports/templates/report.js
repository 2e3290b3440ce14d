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
  const methods = [...new Set([...document.querySelectorAll("table.by-method tbody th:first-child")].map((cell) => cell.textContent.trim()))];
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
