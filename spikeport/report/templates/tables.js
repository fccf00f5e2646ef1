"use strict";
// Tables: sort by a heading, filter by words, download as CSV.

function parsed(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

const SPECS = parsed("specs");
const DATA = parsed("data");

function valueOf(cell) {
  if (!cell.classList.contains("number")) return cell.textContent;
  return cell.dataset.value === "" ? null : Number(cell.dataset.value);
}

function compared(a, b) {
  // What is missing stands last, whichever way the rest is sorted.
  if (a === null || b === null) return (a === null) - (b === null);
  return typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true });
}

function sortBy(table, column) {
  const heading = table.tHead.rows[0].cells[column];
  const down = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [valueOf(row.cells[column]), row]);
  rows.sort(([a], [b]) => (down && a !== null && b !== null ? compared(b, a) : compared(a, b)));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

function filterBy(fold, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [...fold.querySelector("tbody").rows];
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !wanted.every((word) => text.includes(word));
    shown += !row.hidden;
  }
  fold.querySelector(".found").textContent = wanted.length ? `${shown} of ${rows.length}` : "";
}

function quoted(cell) {
  if (cell.classList.contains("number")) return cell.dataset.value;
  // A spreadsheet would run text that begins like a formula.
  const text = /^[=+@\t\r-]/.test(cell.textContent) ? `'${cell.textContent}` : cell.textContent;
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function asCsv(table) {
  const names = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.column);
  const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
  return [names, ...rows.map((row) => [...row.cells].map(quoted))]
    .map((line) => line.join(",") + "\n")
    .join("");
}

for (const fold of document.querySelectorAll(".fold")) {
  const table = fold.querySelector("table");
  [...table.tHead.rows[0].cells].forEach((cell, column) => {
    cell.querySelector("button").addEventListener("click", () => sortBy(table, column));
  });
  fold.querySelector("input")?.addEventListener("input", (event) => filterBy(fold, event.target.value));
  const link = fold.querySelector(".csv");
  link.addEventListener("click", () => {
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([asCsv(table)], { type: "text/csv" }));
  });
}
