"""What the pages share: a style sheet, and how a table is written."""

from typing import NamedTuple

NONE = "\N{EN DASH}"
"""What a cell shows that has nothing to show."""


MOST_FOLDS = 10
"""As many folds as are told apart in columns of a table, or as lines of a figure."""


class Table(NamedTuple):
    """A table; the first cell of a row is its heading."""

    title: str
    heads: list[str]
    rows: list[list[str]]
    note: str = ""


STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #ffffff; --panel: #f4f6f8;
  --line: #d3d9e0; --faint: #808c9b; --soft: #4f5b6b; --main: #1f62a8; --accent: #b3430f;
  --series0: #1f62a8; --series1: #b3430f; --series2: #1b7a4b; --series3: #8a3a94;
  --series4: #8a6a00; --series5: #00788a; --series6: #a8265a; --series7: #5a5f66;
  --font: system-ui, "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --paper: #12161c; --panel: #1b212a;
  --line: #333d4a; --faint: #6f7d8f; --soft: #a9b4c2; --main: #7db4f0; --accent: #f2a065;
  --series0: #7db4f0; --series1: #f2a065; --series2: #6fce9b; --series3: #d79be0;
  --series4: #e0c04a; --series5: #5cc8d8; --series6: #f08fb4; --series7: #b4bac2; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1200px; padding: 1rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 var(--font); }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; padding-top: 1rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .4rem; }
p, li, dd { max-width: 46rem; }
a { color: var(--main); }
a:focus-visible, .wide:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.verdicts { list-style: none; padding: 0; margin: 1rem 0; }
.verdicts li { margin: .6rem 0; padding: .7rem .9rem; background: var(--panel);
  border-left: 4px solid var(--main); max-width: none; }
.verdicts .differs { border-color: var(--accent); }
.verdicts b { display: block; }
.soft, figcaption { color: var(--soft); font-size: .9rem; }
.figures { display: grid; gap: 1rem 2rem; margin: 1rem 0;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); }
figure { margin: 0; max-width: 34rem; }
svg { display: block; width: 100%; height: auto; }
svg * { stroke-linejoin: round; stroke-linecap: butt; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
thead th { vertical-align: bottom; white-space: normal; min-width: 4rem; }
th:first-child, tbody th { text-align: left; font-weight: 600; white-space: nowrap; }
.pairs td { white-space: normal; overflow-wrap: anywhere; }
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
@media screen and (max-width: 600px) { th, td { padding: .25rem .4rem; }
  tbody th:first-child { white-space: normal; min-width: 7rem; max-width: 9rem; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } .wide { overflow: visible; }
  h2, h3 { break-after: avoid; } figure, tr, .verdicts li { break-inside: avoid; }
  .soft, figcaption { font-size: 8.5pt; } table { font-size: 7.5pt; }
  th, td, tbody th { padding: .1rem .3rem; white-space: normal; }
  .figures { grid-template-columns: 1fr 1fr; } }
"""

TABLE = """
{%- macro table(found) %}
<h3>{{ found.title }}</h3>
{% if found.note %}<p class="soft">{{ found.note }}</p>{% endif %}
<div class="wide" tabindex="0" role="region" aria-label="{{ found.title }}">
<table{% if found.heads | length == 2 %} class="pairs"{% endif %}>
<thead><tr>{% for head in found.heads %}<th scope="col">{{ head }}</th>{% endfor %}</tr></thead>
<tbody>
{%- for row in found.rows %}
<tr><th scope="row">{{ row[0] }}</th>
{%- for cell in row[1:] %}<td>{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}
</tbody></table></div>
{%- endmacro -%}
"""
"""The Jinja macro `table`, which shows a `Table`."""
