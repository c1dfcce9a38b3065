"use strict";
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, column) => {
    const key = (row) => row.cells[column].dataset.key ?? row.cells[column].textContent;
    const isNumber = heading.classList.contains("number");
    const compare = isNumber
      ? (a, b) => Number(a) - Number(b)
      : new Intl.Collator(undefined, { numeric: true }).compare;
    const button = heading.querySelector("button");
    button?.addEventListener("click", () => {
      const first = isNumber ? "descending" : "ascending";
      const other = isNumber ? "ascending" : "descending";
      const order = heading.ariaSort === first ? other : first;
      const sign = order === "ascending" ? 1 : -1;
      headings.forEach((one) => one.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", order);
      body.append(...[...body.rows].sort((a, b) => sign * compare(key(a), key(b))));
    });
  });
}
const filter = document.getElementById("filter");
const none = document.getElementById("none");
filter.hidden = false;
filter.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/);
  let shown = 0;
  for (const row of document.querySelectorAll("#images tbody tr")) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    shown += row.hidden ? 0 : 1;
  }
  none.hidden = shown > 0;
});
