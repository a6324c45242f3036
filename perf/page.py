"""One self-contained HTML page from the JSON rows of perf/run: tables and plots, no network."""

import datetime
import html
import math
import os
import platform
import re
import subprocess

import stage_rows

# Categorical colours that stay apart for colour-blind eyes and on both backgrounds.
COLOURS = ("#2a78d6", "#d9622b", "#2d9a64", "#9457c7", "#b8860b")
WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 70, 36, 34, 44

STYLE = """
:root { --ink: #1c2126; --dim: #67717c; --line: #dfe3e8; --back: #ffffff; --card: #f6f7f9; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8ebee; --dim: #9aa4af; --line: #343b43; --back: #15181b; --card: #1d2125; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1100px; padding: 32px 20px 80px; color: var(--ink);
  background: var(--back); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 44px 0 4px; }
p { margin: 4px 0 12px; color: var(--dim); max-width: 75ch; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th { text-align: right; font-weight: 600; color: var(--dim); }
td, th { padding: 5px 10px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
td:first-child, th:first-child { text-align: left; white-space: normal; }
.bad { color: #c2372e; font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(440px, 1fr)); gap: 16px; margin: 14px 0; }
figure { margin: 0; background: var(--card); border-radius: 8px; padding: 10px; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--dim); font: 12px system-ui, sans-serif; }
svg .title { fill: var(--ink); font-weight: 600; font-size: 13px; }
svg .grid { stroke: var(--line); stroke-width: 1; }
"""


def number(value):
    """Three figures and a half, as people write them."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return html.escape(value)
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def short(value):
    """A tick's label."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def log_ticks(low, high):
    """Powers of ten around the values, with 2 and 5 between them where that is few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if last - first <= 2 else (1,)
    ticks = [step * 10.0 ** power for power in range(first, last + 1) for step in steps]
    below = [tick for tick in ticks if tick <= low]
    above = [tick for tick in ticks if tick >= high]
    return [tick for tick in ticks if below[-1] <= tick <= above[0]]


def line_plot(title, x_label, y_label, series, x_ticks=None):
    """series: name -> [(x, y)], x logarithmic unless x_ticks [(x, label)] are given; y logarithmic."""
    points = [point for line in series.values() for point in line]
    y_ticks = log_ticks(min(y for _, y in points), max(y for _, y in points) * 1.001)
    if x_ticks is None:
        ticks = log_ticks(min(x for x, _ in points), max(x for x, _ in points) * 1.001)
        place = math.log10
        x_ticks = [(tick, short(tick)) for tick in ticks]
    else:
        def place(x):
            return x
    x_low, x_high = place(x_ticks[0][0]), place(x_ticks[-1][0])
    y_low, y_high = math.log10(y_ticks[0]), math.log10(y_ticks[-1])

    def at(x, y):
        return (LEFT + (place(x) - x_low) / ((x_high - x_low) or 1) * (WIDTH - LEFT - RIGHT),
                HEIGHT - BOTTOM - (math.log10(y) - y_low) / ((y_high - y_low) or 1)
                * (HEIGHT - TOP - BOTTOM))

    out = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}">',
           f'<text class="title" x="{LEFT}" y="16">{html.escape(title)}</text>']
    for tick in y_ticks:
        _, y = at(x_ticks[0][0], tick)
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                   f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>')
    for tick, label in x_ticks:
        x, _ = at(tick, y_ticks[0])
        out.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{label}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">'
               f'{html.escape(x_label)}</text>'
               f'<text transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" '
               f'text-anchor="middle">{html.escape(y_label)}</text>')
    legend = LEFT + 200
    for colour, (name, line) in zip(COLOURS, series.items()):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in line))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"><title>'
                f'{html.escape(name)}: {number(value)}</title></circle>'
                for (x, y), (_, value) in ((at(*point), point) for point in line)]
        out.append(f'<circle cx="{legend}" cy="26" r="4" fill="{colour}"/>'
                   f'<text x="{legend + 9}" y="30">{html.escape(name)}</text>')
        legend += 24 + 7 * len(name)
    return "".join(out) + "</svg>"


def bar_plot(title, bars):
    """Ratios on a logarithmic axis around 1: [(label, ratio)]."""
    height = TOP + 24 * len(bars) + 34
    left = 330
    span = max(max(abs(math.log10(ratio)) for _, ratio in bars), 0.4)
    span = math.ceil(span * 10) / 10
    middle = left + (WIDTH + 260 - left - 60) / 2

    def x_of(ratio):
        return middle + math.log10(ratio) / span * (middle - left - 10)

    out = [f'<svg viewBox="0 0 {WIDTH + 260} {height}" role="img" aria-label="{html.escape(title)}">',
           f'<text class="title" x="8" y="16">{html.escape(title)}</text>']
    for ratio in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        if abs(math.log10(ratio)) <= span:
            x = x_of(ratio)
            out.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" '
                       f'y2="{height - 26}"/><text x="{x:.1f}" y="{height - 8}" '
                       f'text-anchor="middle">{ratio:g}</text>')
    for i, (label, ratio) in enumerate(bars):
        y, x = TOP + 24 * i, x_of(ratio)
        out.append(f'<text x="{left - 14}" y="{y + 13}" text-anchor="end">'
                   f'{html.escape(label if len(label) < 50 else label[:48] + "…")}</text>'
                   f'<rect x="{min(x, middle):.1f}" y="{y + 2}" width="{max(abs(x - middle), 1):.1f}" '
                   f'height="14" rx="3" fill="{COLOURS[0] if ratio <= 1 else COLOURS[1]}"/>'
                   f'<text x="{max(x, middle) + 6:.1f}" y="{y + 13}">{ratio:.3g}</text>')
    return "".join(out) + "</svg>"


def part_plot(title, parts, unit):
    """What a whole is made of, one bar a part on a linear axis from 0: [(label, value)]."""
    height, left = TOP + 22 * len(parts) + 8, 92
    most = max(value for _, value in parts)
    whole = sum(value for _, value in parts)
    out = [f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html.escape(title)}">',
           f'<text class="title" x="8" y="16">{html.escape(title)}: {number(whole)} '
           f'{html.escape(unit)}</text>']
    for i, (label, value) in enumerate(parts):
        y, width = TOP + 22 * i, max(value / most * (WIDTH - left - 150), 1)
        out.append(f'<text x="{left - 10}" y="{y + 12}" text-anchor="end">{html.escape(label)}</text>'
                   f'<rect x="{left}" y="{y + 1}" width="{width:.1f}" height="14" rx="3" '
                   f'fill="{COLOURS[0]}"/><text x="{left + width + 8:.1f}" y="{y + 12}">'
                   f'{number(round(value, 2))}, {value / whole:.0%}</text>')
    return "".join(out) + "</svg>"


def stage_part(rows):
    """Where the time of a benchmark's cases goes: a table of all and a plot of each."""
    lines = stage_rows.table(rows, number)
    body = "".join("<tr>" + "".join(f"<td>{text}</td>" for text in line) + "</tr>" for line in lines[1:])
    head = "".join(f"<th>{text}</th>" for text in lines[0])
    plots = "".join(f"<figure>{part_plot(case, stage_rows.parts(stages), unit)}</figure>"
                    for (_, case, unit), stages in stage_rows.cases(rows).items()
                    if stage_rows.parts(stages))
    return ("<p>Where the time goes, by the worker's own counters, in runs after those of the figure "
            "(\"the whole\").</p>"
            f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'
            f"<div class=plots>{plots}</div>")


def amount(case):
    """How many streams, participants or packets a second a case is about: its first number, and a
    name for what is left of it; nothing when it has none."""
    found = re.search(r"\d[\d,]*", case)
    if not found:
        return None
    rest = (case[:found.start()] + case[found.end():]).strip(" ,")
    return int(found.group().replace(",", "")), rest


def scales(rows):
    """Cases that differ in nothing but a number: ((what is counted, unit), [(number, row)])."""
    groups = {}
    for row in rows:
        parts = amount(row["case"])
        if parts and parts[0] > 0 and (row["value"] or 0) > 0:
            # Cases of one bench are one curve when they count the same thing in the same unit.
            thing = re.sub(r"\d[\d,]*", "N", parts[1])
            groups.setdefault((thing, row["unit"]), []).append((parts[0], row))
    for what, members in groups.items():
        members.sort(key=lambda member: member[0])
        if len({count for count, _ in members}) > 1:
            yield what, members


def scale_plots(bench, rows):
    """Cost against how many."""
    for (thing, unit), members in scales(rows):
        series = {"Tandem": [(count, row["value"]) for count, row in members]}
        compared = [(count, row["reference"]) for count, row in members if row.get("reference")]
        if len(compared) == len(members):
            series[members[0][1]["reference_name"]] = compared
        yield line_plot(f"{bench}: cost against how many", thing, unit, series)


def delay_plots(bench, rows):
    """How long it takes against how many there are: where the knee is."""
    for (thing, _), members in scales(rows):
        series = {}
        for column, name in (("p50_us", "p50"), ("p99_us", "p99"), ("p999_us", "p99.9")):
            line = [(count, row[column]) for count, row in members if row.get(column)]
            if len(line) > 1:
                series[name] = line
        if series:
            yield line_plot(f"{bench}: how long against how many", thing, "us", series)


def latency_plots(rows):
    """Percentiles spread by nines: the tail is what callers hear."""
    for row in rows:
        if not isinstance(row.get("percentiles"), dict):
            continue
        series = {}
        for name, points in row["percentiles"].items():
            line = [(-math.log10(1 - q), max(us, 0.1)) for q, us in points or () if q < 1]
            if line:
                series[name] = line
        if series:
            ticks = [(0, "0"), (-math.log10(0.5), "50 %"), (1, "90 %"), (2, "99 %"), (3, "99.9 %"),
                     (4, "99.99 %"), (5, "99.999 %")]
            yield line_plot(f"latency: {row['case']}", "of all packets", "us", series, ticks)


def table(rows):
    columns = ("case", "value", "min", "max", "unit", "reference", "reference_name", "ratio",
               "p50_us", "p99_us", "p999_us", "lost")
    used = [column for column in columns
            if column in ("case", "value") or any(row.get(column) is not None for row in rows)]
    head = "".join(f"<th>{column.replace('_', ' ')}</th>" for column in used)
    body = ""
    for row in rows:
        cells = "".join(f'<td{" class=bad" if column == "lost" and row.get(column) else ""}>'
                        f"{number(row.get(column))}</td>" for column in used)
        body += f"<tr>{cells}</tr>"
    return f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'


def machine():
    """What it was measured on, in a line."""
    model = "unknown processor"
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next(line.split(":", 1)[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        pass
    commit = subprocess.run(("git", "describe", "--always", "--dirty"), stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=False,
                            cwd=os.path.dirname(os.path.abspath(__file__))).stdout.strip()
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    system = f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}"
    return (f"{model}, {os.cpu_count()} processors, {system}, "
            f"load {load}, revision {commit or 'unknown'}")


def page(rows, about, not_run=()):
    """The page as text. `about`: bench -> what it measures; `not_run`: what gave no figures."""
    benches, stages = {}, {}
    rows, rows_of_stages = stage_rows.split(rows)
    for row in rows_of_stages:
        stages.setdefault(row["bench"], []).append(row)
        benches.setdefault(row["bench"], [])
    for row in rows:
        benches.setdefault(row["bench"], []).append(row)
    # Of costs: what is better when it is more, and what is a part of its reference, has no place there.
    bars = [(f"{row['bench']}: {row['case']}", row["ratio"]) for row in rows
            if (row.get("ratio") or 0) > 0 and not row.get("lost") and row["bench"] != "stages"
            and not row["unit"].endswith("/s") and not row["unit"].endswith(" added")]
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    out = ["<!doctype html><html lang=en><meta charset=utf-8>",
           '<meta name=viewport content="width=device-width, initial-scale=1">',
           f"<title>Tandem, measured</title><style>{STYLE}</style>",
           f"<h1>Tandem, measured</h1><p>{when}. {html.escape(machine())}.</p>",
           "<p>Each figure stands beside its reference, run in turns with it. Value and reference "
           "are medians, ratio is value / reference: below 1 Tandem needs less. Ratios travel from "
           "machine to machine, times do not.</p>"]
    if not_run:
        out.append(f'<p class=bad>Gave no figures: {html.escape(", ".join(not_run))}.</p>')
    if bars:
        out.append(f'<div class=plots><figure style="grid-column: 1 / -1">'
                   f'{bar_plot("Tandem / reference", bars)}</figure></div>')
    for bench, members in benches.items():
        out.append(f"<h2>{html.escape(bench)}</h2><p>{html.escape(about.get(bench, ''))}</p>")
        if members:
            out.append(table(members))
        plots = [] if bench == "stages" else (
            list(scale_plots(bench, members)) + list(delay_plots(bench, members))
            + list(latency_plots(members)))
        if plots:
            out.append("<div class=plots>" + "".join(f"<figure>{plot}</figure>" for plot in plots)
                       + "</div>")
        if bench in stages:
            out.append(stage_part(stages[bench]))
    return "\n".join(out) + "</html>\n"
