"""The page's look: for a phone as for a screen, by day as by night, and without anything from elsewhere."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --card: #f6f7f9; --line: #d5dae1; --text: #1c2430; --quiet: #535f6f;
  --sent: #117a4b; --held: #b45309; --rest: #8a94a3; --empty: #e4e8ed;
  --tone-0: #2563eb; --tone-1: #d97706; --tone-2: #0d8f68; --tone-3: #c02672; --tone-4: #7c3aed;
  --tone-5: #0b84a5; --tone-6: #5b8c0a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1b2129; --line: #36404d; --text: #e8ecf1; --quiet: #a6b1bf;
    --sent: #4ccb8f; --held: #f0a04b; --rest: #7d899a; --empty: #2a323d;
    --tone-0: #7aa7ff; --tone-1: #f4b04f; --tone-2: #45cf9f; --tone-3: #f47cb4; --tone-4: #b395ff;
    --tone-5: #45c5e6; --tone-6: #a5d34a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 68rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: .25rem 0 .75rem; max-width: 48rem; }
.quiet { color: var(--quiet); }
ul { margin: 0; padding: 0; list-style: none; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem; }
.tiles, .legend, .plot, .tiles { margin: 1.25rem 0; }
.tiles li, .card { padding: .75rem 1rem; }
.tiles li, .card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
.tiles b { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--quiet); font-size: .875rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: .75rem; }
.card p { font-size: .875rem; }
.plot { display: grid; grid-template-columns: auto 1fr; grid-template-rows: 14rem auto; column-gap: .5rem; }
.plot.small { grid-template-rows: 4.5rem auto; }
.plot svg { width: 100%; height: 100%; display: block; }
.values, .labels { display: flex; justify-content: space-between; color: var(--quiet); font-size: .8125rem; }
.values { flex-direction: column; line-height: 1; margin: -.4rem 0; min-width: 1.5rem; }
.labels { grid-column: 2; padding-top: .4rem; }
.grid { stroke: var(--line); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.bar svg { display: block; width: 100%; height: .75rem; border-radius: .25rem; }
.empty { fill: var(--empty); } .rest { fill: var(--rest); }
.sent { fill: var(--sent); } .held { fill: var(--held); }
.tone-0 { fill: var(--tone-0); } .tone-1 { fill: var(--tone-1); } .tone-2 { fill: var(--tone-2); }
.tone-3 { fill: var(--tone-3); } .tone-4 { fill: var(--tone-4); } .tone-5 { fill: var(--tone-5); }
.tone-6 { fill: var(--tone-6); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .875rem; }
.legend svg { width: .8em; height: .8em; margin-right: .4em; }
.rows li { display: grid; grid-template-columns: 1fr auto; gap: .1rem .75rem; padding: .4rem 0; }
.rows .bar { grid-column: 1 / -1; }
.number, .values { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap; }
.scroll { overflow-x: auto; background: linear-gradient(to right, var(--page) 40%, transparent) left,
    linear-gradient(to left, var(--page) 40%, transparent) right,
    linear-gradient(to right, var(--line), transparent) left,
    linear-gradient(to left, var(--line), transparent) right;
  background-size: 2.5rem 100%, 2.5rem 100%, 1rem 100%, 1rem 100%; background-repeat: no-repeat;
  background-attachment: local, local, scroll, scroll; }  /* a shadow where there is more to the side */
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th, td { overflow-wrap: normal; }
th { color: var(--quiet); font-weight: 600; }
th.number, td.number { text-align: right; }
tr.whole td, tr.whole th { font-weight: 700; color: var(--text); }
tbody th { color: var(--text); font-weight: 400; min-width: 8rem; max-width: 16rem; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--quiet); font-size: .875rem; padding: .4rem 0; }
summary:focus-visible { outline: 2px solid var(--tone-0); outline-offset: 2px; }
"""
