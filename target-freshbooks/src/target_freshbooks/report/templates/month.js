"use strict";
// Tables are sorted by the buttons in their heads, and filtered by any text of a row.
const words = new Intl.Collator(undefined, { numeric: true });
const amount = (text) => (text === "" ? -Infinity : Number(text.replace(/[,%\s]/g, "")));

function sort(table, column, numeric, heading) {
  const down = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const text = (row) => row.cells[column].textContent.trim();
  const compare = (a, b) =>
    numeric ? amount(text(a)) - amount(text(b)) || 0 : words.compare(text(a), text(b));
  const rows = [...table.tBodies[0].rows].sort((a, b) => (down ? -compare(a, b) : compare(a, b)));
  table.tBodies[0].append(...rows);
}

function addFilter(box, table) {
  const bar = document.createElement("div");
  const label = document.createElement("label");
  const input = document.createElement("input");
  const count = document.createElement("output");
  bar.className = "filter";
  label.textContent = `Filter: ${box.dataset.rows}`;
  label.htmlFor = input.id = `filter-${table.id}`;
  input.type = "search";
  input.setAttribute("aria-controls", table.id);
  count.setAttribute("for", input.id);
  count.setAttribute("role", "status");
  const show = () => {
    const wanted = input.value.trim().toLowerCase().split(/\s+/);
    const rows = [...table.tBodies[0].rows];
    for (const row of rows) {
      const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
      row.hidden = !wanted.every((word) => text.includes(word));
    }
    count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} shown`;
  };
  input.addEventListener("input", show);
  bar.append(label, input, count);
  box.before(bar);
  show();
}

for (const box of document.querySelectorAll(".scroll[data-rows]")) {
  const table = box.querySelector("table");
  const rows = table.tBodies[0].rows.length;
  if (rows < 2) continue;
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sort(table, column, heading.classList.contains("n"), heading));
    heading.append(button);
  });
  if (rows > 7) addFilter(box, table);
}
