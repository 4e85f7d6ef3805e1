"""The drift report as a Jinja template after `TABLE`; `drift_page` fills it in."""

TEMPLATE = """<!DOCTYPE html>
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
        "Score of the right side less that of the left, by generation of students. Under the "
        "published protocol the cross-validated score is that of the best epoch, chosen on the "
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
