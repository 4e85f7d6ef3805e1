// What the page can do more where scripts run; it lacks nothing without them.
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];

// A mark of a figure tells its value where one points at it, or comes to it by the arrow keys.
for (const figure of all("figure")) {
  const drawing = figure.querySelector("svg"), marks = all(".mark", figure);
  const told = document.createElement("output");
  let at = -1;
  const tell = (next) => {
    marks[at]?.classList.remove("now");
    told.hidden = !marks[(at = next)];
    if (told.hidden) return;
    marks[at].classList.add("now");
    told.textContent = marks[at].dataset.told;
    const mark = marks[at].getBoundingClientRect(), frame = figure.getBoundingClientRect();
    const left = mark.left + mark.width / 2 - frame.left - told.offsetWidth / 2;
    told.style.left = `${Math.max(0, Math.min(left, frame.width - told.offsetWidth))}px`;
    told.style.top = `${mark.top - frame.top - told.offsetHeight - 4}px`;
  };
  for (const mark of marks) { // else the browser would show its title as well
    mark.dataset.told = mark.querySelector("title").textContent;
    mark.querySelector("title").remove();
  }
  const follow = (mark) => mark?.dataset.to && (location.hash = mark.dataset.to);
  if (!marks.length) continue;
  told.hidden = true;
  figure.append(told);
  drawing.tabIndex = 0;
  drawing.addEventListener("pointermove", (event) => tell(marks.indexOf(event.target.closest(".mark"))));
  drawing.addEventListener("click", (event) => follow(event.target.closest(".mark")));
  for (const end of ["pointerleave", "blur"]) drawing.addEventListener(end, () => tell(-1));
  drawing.addEventListener("keydown", (event) => {
    if (event.key === "Enter") return follow(marks[at]);
    const last = marks.length - 1;
    const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1,
      Home: 0, End: last, Escape: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    tell(event.key === "Escape" ? -1 : Math.max(0, Math.min(next, last)));
  });
}

// A section that is folded opens for who follows a link to it, and for the printer.
const unfold = () => {
  const folded = location.hash && document.querySelector(`${location.hash} > details`);
  if (!folded) return;
  folded.open = true;
  folded.parentElement.scrollIntoView(); // before, the page may have been too short for that
};
addEventListener("hashchange", unfold);
unfold();
addEventListener("beforeprint", () => all("details").forEach((folded) => (folded.open = true)));

// A table that is wider than the window says so.
for (const wide of all(".wide")) {
  const look = () => wide.classList.toggle("scrolls", wide.scrollWidth > wide.clientWidth);
  new ResizeObserver(look).observe(wide);
}

// Longer tables are sorted by a click on a head.
for (const table of all("table")) {
  const body = table.tBodies[0], rows = [...body.rows];
  const value = (row, at) => {
    const text = row.cells[at].textContent.replace(/−/g, "-").replace(/,(?=\d{3})/g, "");
    const number = parseFloat(text.replace(/^[<>] /, ""));
    return Number.isNaN(number) ? text : number;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  if (rows.length < 5 || table.className === "pairs") continue;
  [...table.tHead.rows[0].cells].forEach((head, at) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort((a, b) => (down ? -1 : 1) * compare(value(a, at), value(b, at)));
      body.append(...rows);
    });
  });
}
