"""Panels of horizontal bars as an SVG that reads well on light and on dark pages."""
from html import escape

WIDTH, COLUMNS, GAP, MARGIN = 980, 2, 36, 24
LABEL, VALUE, ROW, BAR, HEAD = 180, 72, 25, 15, 56

STYLE = """
  svg { font-family: system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; font-size: 13px;
        --ink: #1f2933; --soft: #5b6773; --line: #d4dae0; --ours: #0b7a75; --peer: #a9b4bf; --page: #ffffff; }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6edf3; --soft: #98a4b0; --line: #3a434d; --ours: #2dc5bb; --peer: #5c6873; --page: #0d1117; }
  }
  .page, .break { fill: var(--page); }
  text { fill: var(--ink); }
  .soft { fill: var(--soft); }
  .title { font-size: 15px; font-weight: 600; }
  .ours { font-weight: 600; }
  .axis { stroke: var(--line); }
  rect.inlet { fill: var(--ours); }
  rect.peer { fill: var(--peer); }
  rect.limit { fill: none; stroke: var(--soft); stroke-dasharray: 3 2; }
"""


def write(path, caption, panels):
    """Each panel is (title, unit, more is better, bars); each bar (name, value, text, kind): `inlet`, `peer` or `limit`."""
    width = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
    body, top = [], MARGIN
    for begin in range(0, len(panels), COLUMNS):
        row = panels[begin:begin + COLUMNS]
        for column, panel in enumerate(row):
            body += draw(panel, MARGIN + column * (width + GAP), top, width)
        top += HEAD + ROW * max(len(panel[3]) for panel in row) + 18
    height = top + 22
    body.append(f'<text class="soft" x="{MARGIN}" y="{height - 16}">{escape(caption)}</text>')
    with open(path, "w") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">\n'
                  f"<title>{escape(caption)}</title>\n<style>{STYLE}</style>\n"
                  f'<rect class="page" width="{WIDTH}" height="{height}" rx="8"/>\n' + "\n".join(body) + "\n</svg>\n")


def draw(panel, left, top, width):
    title, unit, more, bars = panel
    best_first = sorted(bars, key=lambda bar: (bar[3] == "limit", -bar[1] if more else bar[1]))
    # One that is far behind all others would press them together: its bar is broken off.
    largest, second = (sorted(bar[1] for bar in bars)[-1:-3:-1] * 2)[:2]
    scale = min(largest, 1.3 * second) if largest > 3 * second and not more else largest
    room, zero = width - LABEL - VALUE, left + LABEL
    yield f'<text class="title" x="{left:.0f}" y="{top + 16}">{escape(title)}</text>'
    yield f'<text class="soft" x="{left:.0f}" y="{top + 35}">{escape(unit)}</text>'
    for number, (name, value, text, kind) in enumerate(best_first):
        y = top + HEAD + number * ROW
        style = ' class="ours"' if kind == "inlet" else ' class="soft"' if kind == "limit" else ""
        long = max(1.5, room * min(value, scale) / scale)
        yield f'<text{style} x="{zero - 8:.0f}" y="{y + 12}" text-anchor="end">{escape(name)}</text>'
        yield f'<rect class="{kind}" x="{zero:.0f}" y="{y}" width="{long:.1f}" height="{BAR}" rx="2"/>'
        if value > scale:
            at = zero + 0.85 * long
            yield f'<path class="break" d="M{at:.1f} {y + BAR + 2}l6 -{BAR + 4}h4l-6 {BAR + 4}z"/>'
        yield f'<text{style} x="{zero + long + 6:.0f}" y="{y + 12}">{escape(text)}</text>'
    bottom = top + HEAD + len(bars) * ROW - ROW + BAR
    yield f'<line class="axis" x1="{zero:.0f}" x2="{zero:.0f}" y1="{top + HEAD - 4}" y2="{bottom + 4}"/>'
