"""The report as a Jinja template after `TABLE`, and what its style adds to the pages' own."""

STYLE = """
.answer { list-style: none; padding: 0; margin: 1rem 0; display: grid; gap: .8rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 250px), 1fr)); }
.answer li { padding: .8rem 1rem; background: var(--panel); border-left: 4px solid var(--main);
  max-width: none; overflow-wrap: anywhere; }
.answer .warning { border-color: var(--accent); }
.answer h2 { font-size: 1rem; margin: 0; padding: 0; border: 0; }
.answer .figure { display: block; font-size: 1.9rem; line-height: 1.3; font-weight: 600;
  font-variant-numeric: tabular-nums; }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer;
  text-align: inherit; }
th button::after { content: " \\2195"; color: var(--faint); }
th[aria-sort="ascending"] button::after { content: " \\2191"; color: var(--ink); }
th[aria-sort="descending"] button::after { content: " \\2193"; color: var(--ink); }
code { overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .7rem .9rem; background: var(--panel); }
@media print { nav { display: none; } th button::after { content: none; }
  .answer { grid-template-columns: 1fr 1fr; } }
"""

SCRIPT = """
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0], rows = [...body.rows];
  const value = (row, at) => {
    const text = row.cells[at].textContent.replace(/\u2212/g, "-").replace(/,(?=\\d{3})/g, "");
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
"""
"""Lets longer tables be sorted by a click on a head; the page lacks nothing without it."""

TEMPLATE = """
{%- macro figures(found) %}
<div class="figures">
{%- for figure in found %}
<figure>{{ figure.svg | safe }}<figcaption>{{ figure.caption | code }}</figcaption></figure>
{%- endfor %}
</div>
{%- endmacro -%}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<header>
<h1>{{ title }}</h1>
<p class="soft">{{ lead }}</p>
<ul class="answer">
{%- for finding in findings %}
<li{% if finding.is_warning %} class="warning"{% endif %}><h2>{{ finding.title }}</h2>
<span class="figure">{{ finding.figure }}</span>{{ finding.text | code }}</li>
{%- endfor %}
</ul>
{{- figures([opening]) }}
<nav aria-label="Sections"><ul>
{%- for section in sections %}
<li><a href="#{{ section.name }}">{{ section.title }}</a></li>
{%- endfor %}
</ul></nav>
</header>
<main>
{%- for section in sections %}
<section id="{{ section.name }}" aria-labelledby="{{ section.name }}-title">
<h2 id="{{ section.name }}-title">{{ section.title }}</h2>
{%- for block in section.blocks %}
{%- if block is string %}
<p>{{ block | code }}</p>
{%- elif block.heads is defined %}{{ table(block) }}
{%- elif block.commands is defined %}
<pre tabindex="0"><code>{{ block.commands }}</code></pre>
{%- else %}{{ figures(block) }}
{%- endif %}
{%- endfor %}
</section>
{%- endfor %}
</main>
<script>{{ script }}</script>
</body>
</html>
"""
