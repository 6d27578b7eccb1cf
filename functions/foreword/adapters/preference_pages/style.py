"""The one style of the pages. Colours meet WCAG AA by day and by night; sizes follow the reader's own."""

STYLE = """
:root { color-scheme: light dark; --back: #f4f5f7; --card: #ffffff; --ink: #1c2430; --soft: #566172;
  --line: #d9dee6; --edge: #7a8596; --tint: #f0f5ff; --brand: #1d4ed8; --on-brand: #ffffff; --bad: #b42318;
  --good: #0b6b3a; --good-back: #e8f6ee; --warn: #8a4b00; }
@media (prefers-color-scheme: dark) { :root { --back: #12161c; --card: #1b222c; --ink: #e9edf3; --soft: #aab4c3;
  --line: #323c4a; --edge: #8b97a8; --tint: #1f2c45; --brand: #8ab4ff; --on-brand: #0d1a33; --bad: #ff9b91;
  --good: #8be0ae; --good-back: #16301f; --warn: #f2c078; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 1.0625rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Helvetica, Arial, sans-serif; }
main { max-width: 40rem; margin-inline: auto; padding: 1.5rem 1rem 3rem; }
h1 { margin: 0.5rem 0 0.25rem; font-size: 1.75rem; line-height: 1.2; letter-spacing: -0.01em; }
h2 { margin: 0 0 0.75rem; font-size: 1.25rem; line-height: 1.3; }
p { margin: 0 0 1rem; }
.lead, .soft { color: var(--soft); }
.card { margin: 1.25rem 0 0; padding: 1.25rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.875rem; }
.notice { margin: 1rem 0 0; padding: 0.75rem 1rem; background: var(--good-back); color: var(--good);
  border-inline-start: 0.25rem solid currentColor; border-radius: 0.5rem; font-weight: 600; }
fieldset { min-width: 0; margin: 0; padding: 0.875rem 0; border: 0; border-top: 1px solid var(--line); }
h2 + fieldset { padding-top: 0; border-top: 0; }
legend { float: inline-start; width: 100%; padding: 0; font-weight: 600; overflow-wrap: anywhere; }
fieldset > * { clear: both; }
fieldset > .soft { margin: 0; font-size: 0.9375rem; }
.boxes { display: flex; flex-wrap: wrap; gap: 0.5rem; padding-top: 0.5rem; }
.box { display: inline-flex; align-items: center; gap: 0.625rem; min-height: 2.75rem; padding: 0.375rem 0.875rem;
  border: 1px solid var(--edge); border-radius: 0.625rem; cursor: pointer; }
.box:has(:checked) { border-color: var(--brand); background: var(--tint); }
.box small { display: block; color: var(--warn); font-size: 0.875rem; line-height: 1.3; }
input[type=checkbox] { flex: none; width: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--brand); }
.pair { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); }
.pair label { display: block; font-weight: 600; }
select { display: block; width: 100%; min-height: 2.75rem; margin-top: 0.375rem; padding: 0.375rem 0.625rem;
  background: var(--card); color: inherit; border: 1px solid var(--edge); border-radius: 0.625rem; font: inherit;
  font-weight: 400; }
button { width: 100%; min-height: 3rem; padding: 0.5rem 1.5rem; border: 1px solid var(--brand);
  border-radius: 0.625rem; background: var(--brand); color: var(--on-brand); font: inherit; font-weight: 600;
  cursor: pointer; }
button.quiet { background: transparent; color: var(--brand); }
button.bad { background: transparent; border-color: var(--bad); color: var(--bad); }
.save { margin-top: 1.25rem; }
form + form { margin-top: 1.25rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
form p { margin-bottom: 0.75rem; }
ul { margin: 0 0 1.25rem; padding-inline-start: 1.25rem; font-weight: 600; }
.soft:last-child, .lead:last-child { margin-bottom: 0; }
.after { margin-top: 1rem; }
p { text-wrap: pretty; }
h1 { text-wrap: balance; }
:focus-visible { outline: 3px solid var(--brand); outline-offset: 2px; }
.box:focus-within { outline: 3px solid var(--brand); outline-offset: 2px; }
.box :focus-visible, .notice:focus { outline: 0; }
@media (min-width: 36rem) { main { padding-top: 3rem; } .card { padding: 1.75rem; } h1 { font-size: 2.125rem; }
  button { width: auto; } }
@media (forced-colors: active) { .box:has(:checked) { border-width: 3px; } }
"""
