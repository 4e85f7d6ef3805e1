"""The drift report as a Jinja template, and its style sheet; `drift_page` fills it in."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #ffffff; --panel: #f4f6f8;
  --line: #d3d9e0; --faint: #98a4b3; --soft: #4f5b6b; --main: #1f62a8; --accent: #b3430f;
  --font: system-ui, "DejaVu Sans", sans-serif; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --paper: #12161c; --panel: #1b212a;
  --line: #333d4a; --faint: #6f7d8f; --soft: #a9b4c2; --main: #7db4f0; --accent: #f2a065; } }
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
dt { font-weight: 600; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } .wide { overflow: visible; }
  h2, h3 { break-after: avoid; } figure, tr, .verdicts li { break-inside: avoid; }
  table { font-size: 7.5pt; } th, td { padding: .1rem .3rem; }
  .figures { grid-template-columns: 1fr 1fr; } }
"""

TEMPLATE = """
{%- macro table(found) %}
<h3>{{ found.title }}</h3>
{% if found.note %}<p class="soft">{{ found.note }}</p>{% endif %}
<div class="wide" tabindex="0" role="region" aria-label="{{ found.title }}"><table>
<thead><tr>{% for head in found.heads %}<th scope="col">{{ head }}</th>{% endfor %}</tr></thead>
<tbody>
{%- for row in found.rows %}
<tr><th scope="row">{{ row[0] }}</th>
{%- for cell in row[1:] %}<td>{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}
</tbody></table></div>
{%- endmacro -%}
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Drift</title>
<style>{{ style }}</style>
</head>
<body>
<header>
<h1>Drift: which step differs first, by how much, and whether it matters</h1>
<ul class="verdicts">
{%- for contrast in contrasts %}
<li{% if contrast.differs %} class="differs"{% endif %}><b><a href="#{{ contrast.name }}">
{{- contrast.title }}</a></b>{{ contrast.verdict }}</li>
{%- endfor %}
</ul>
</header>
<main>
{%- for contrast in contrasts %}
<section id="{{ contrast.name }}" aria-labelledby="{{ contrast.name }}-title">
<h2 id="{{ contrast.name }}-title">{{ contrast.title }}</h2>
<p>{{ contrast.verdict }}</p>
{%- if contrast.caution %}<p><strong>{{ contrast.caution }}</strong></p>{% endif %}
{%- if contrast.changes %}
<dl>{% for change in contrast.changes %}<dt>{{ change.what }}</dt>
<dd>{{ change.a }} &rarr; {{ change.b }}</dd>{% endfor %}</dl>
{%- endif %}
<div class="figures">
{%- for figure in contrast.figures %}
<figure>{{ figure.svg }}<figcaption>{{ figure.caption }}</figcaption></figure>
{%- endfor %}
</div>
{%- for found in contrast.tables %}{{ table(found) }}{% endfor %}
</section>
{%- endfor %}
<section aria-labelledby="reading"><h2 id="reading">How to read this</h2>
<dl>
{%- for term, text in terms %}<dt>{{ term }}</dt><dd>{{ text }}</dd>{% endfor %}
</dl></section>
</main>
</body>
</html>
"""

TERMS = (
    (
        "Identical",
        "The logical digests of all files of a step are equal: every value, to the last bit.",
    ),
    (
        "ulp",
        "Steps from one number of a type to the next. A relative difference is that of two numbers "
        "in units of the larger one.",
    ),
    (
        "Relative difference, root mean square",
        "Over all cells of what the next step reads (features, then class probabilities of the "
        "test rows), equal cells counting as 0: how large a difference is in a typical cell.",
    ),
    (
        "Amplification",
        "That figure for one step, divided by the same for the nearest earlier step that has one. "
        "Folds and pseudo-labels are decisions and have none: what they do shows one step later.",
    ),
    (
        "Effect",
        "Score of the right side less that of the left, for the last generation of students. Under "
        "the published protocol the cross-validated score is that of the best epoch, chosen on the "
        "held-out persons, as the report did.",
    ),
    (
        "Intervals",
        "All at 95 %: chi-square for the standard deviation between seeds, Student's t for the "
        "mean effect of several pairs. An effect in standard deviations allows for the uncertainty "
        "of both (Bonferroni); of a single pair of runs, for that of the standard deviation alone.",
    ),
    (
        "Two runs that differ in their seed alone",
        "Their scores differ by less than the bound given, in 95 of 100 cases; by Student's t, "
        "since the standard deviation itself is estimated from few seeds.",
    ),
)
"""What the report explains at its end."""
