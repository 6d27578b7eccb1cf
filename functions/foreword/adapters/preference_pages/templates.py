"""The pages in Liquid, escaped throughout. `words` are those of the reader's language."""

LAYOUT = """<!doctype html>
<html lang="{{ language }}" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>{{ heading }}</title>
<style>{{ style }}</style>
</head>
<body>
<main>
<h1>{{ heading }}</h1>
{{ content }}
</main>
</body>
</html>
"""

PREFERENCES = """<p class="lead">{{ words.lead }}</p>
{%- if notice %}
<p class="notice" role="status" tabindex="-1" autofocus>{{ notice }}</p>
{%- endif %}
{%- if rows.size > 0 %}
<form class="card" method="post">
<input type="hidden" name="version" value="{{ version }}">
<h2>{{ words.topics }}</h2>
{%- if is_off %}
<p class="soft">{{ words.stopped }}</p>
{%- endif %}
{%- for row in rows %}
<fieldset>
<legend><bdi>{{ row.title }}</bdi></legend>
{%- if row.critical %}
<p class="soft">{{ words.critical }}</p>
{%- endif %}
<div class="boxes">
{%- for box in row.boxes %}
<input type="hidden" name="shown" value="{{ box.name }}/{% if box.on %}on{% else %}off{% endif %}">
<label class="box"><input type="checkbox" name="on" value="{{ box.name }}"{% if box.on %} checked{% endif %}>
<span>{{ box.title }}{% if box.waiting %} <small>{{ words.waiting }}</small>{% endif %}</span></label>
{%- endfor %}
</div>
</fieldset>
{%- endfor %}
<fieldset>
<legend>{{ words.how }}</legend>
<div class="boxes pair">
<label>{{ words.often }}
<select name="limit">
<option value="">{{ words.often_none }}</option>
{%- for one in frequencies %}
<option value="{{ one.value }}"{% if one.value == often %} selected{% endif %}>{{ one.title }}</option>
{%- endfor %}
</select></label>
<label>{{ words.preferred }}
<select name="preferred">
<option value="">{{ words.preferred_none }}</option>
{%- for one in channels %}
<option value="{{ one.value }}"{% if one.value == preferred %} selected{% endif %}>{{ one.title }}</option>
{%- endfor %}
</select></label>
</div>
</fieldset>
<button class="save" name="action" value="save">{{ words.save }}</button>
</form>
{%- endif %}
<section class="card" aria-labelledby="rest">
<h2 id="rest">{{ words.rest }}</h2>
<form method="post">
<input type="hidden" name="version" value="{{ version }}">
{%- if paused %}
<p>{{ paused }}</p>
<button class="quiet" name="action" value="resume">{{ words.resume }}</button>
{%- else %}
<p class="soft">{{ words.pause_lead }}</p>
<button class="quiet" name="action" value="pause">{{ words.pause }}</button>
{%- endif %}
</form>
{%- if is_stopped == false %}
<form method="post">
<input type="hidden" name="version" value="{{ version }}">
<p class="soft">{{ words.stop_lead }}</p>
<button class="bad" name="action" value="stop">{{ words.stop }}</button>
</form>
{%- endif %}
</section>"""

UNSUBSCRIBE = """<form class="card" method="post">
<p>{{ words.unsubscribe_lead }}</p>
<ul><li><bdi>{{ title }}</bdi></li></ul>
<button name="List-Unsubscribe" value="One-Click">{{ words.unsubscribe }}</button>
</form>"""

UNSUBSCRIBED = """<div class="card" role="status">
<p>{{ words.unsubscribed_lead }}</p>
<ul><li><bdi>{{ title }}</bdi></li></ul>
<p class="soft">{{ words.close }}</p>
</div>"""

CONFIRM = """<form class="card" method="post">
<p>{{ words.confirm_lead }}</p>
<ul>
{%- for one in waiting %}
<li><bdi>{{ one.title }}</bdi> ({{ one.channel_title }})</li>
{%- endfor %}
</ul>
{%- for one in waiting %}
<input type="hidden" name="shown" value="{{ one.name }}/{{ one.channel }}/off">
{%- endfor %}
<button name="action" value="confirm">{{ words.confirm }}</button>
<p class="soft after">{{ words.confirm_note }}</p>
</form>"""

SENTENCE = """<div class="card" role="status">
<p class="lead">{{ sentence }}</p>
</div>"""
