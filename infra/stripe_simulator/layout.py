"""The frame around the simulator's pages: one style sheet, light and dark, no outside file."""

from datetime import UTC, datetime
from html import escape

STYLE = """
:root { color-scheme: light dark; --paper: #f7f6f2; --surface: #fff; --line: #e4e0d8; --ink: #1e1d1a;
  --ink-2: #55514a; --ink-3: #6d685e; --accent: #2b4a9b; --on-accent: #fff; --good: #0b5f54; --good-soft: #dcf0eb;
  --wait: #7a4f00; --wait-soft: #fbefd3; --bad: #a02c12; --bad-soft: #fbe6df; --idle-soft: #eeece6; }
@media (prefers-color-scheme: dark) { :root { --paper: #151412; --surface: #1d1c19; --line: #33302a; --ink: #ece9e2;
  --ink-2: #b9b4a9; --ink-3: #9a9488; --accent: #9db4f2; --on-accent: #10131c; --good: #72d3c0;
  --good-soft: #16322d; --wait: #f0c46a; --wait-soft: #3a2d10; --bad: #ff9c80; --bad-soft: #43201a;
  --idle-soft: #2a2824; } }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/22px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink);
  background: var(--paper); font-variant-numeric: tabular-nums; }
.strip { background: var(--wait-soft); color: var(--wait); padding: 6px 24px; font-size: 13px; }
main { max-width: 520px; margin: 32px auto; padding: 24px; background: var(--surface); border: 1px solid var(--line);
  border-radius: 10px; }
main.wide { max-width: 1160px; background: none; border: 0; padding: 0 24px; }
h1 { font-size: 22px; line-height: 28px; margin: 0 0 8px; letter-spacing: -.01em; }
h2 { font-size: 15px; margin: 28px 0 8px; }
p { margin: 0 0 16px; color: var(--ink-2); max-width: 70ch; }
.faint { color: var(--ink-3); font-size: 13px; }
code { font: 13px ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; background: var(--surface); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; margin-bottom: 0; }
main:not(.wide) table { margin-bottom: 16px; }
th, td { text-align: left; padding: 8px 12px; border-bottom: 1px solid var(--line); white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
th { font-size: 12px; font-weight: 600; color: var(--ink-3); }
.num { text-align: right; }
.badge { font-size: 12px; font-weight: 600; padding: 2px 8px; border-radius: 4px; background: var(--idle-soft);
  color: var(--ink-2); }
.badge.good { background: var(--good-soft); color: var(--good); }
.badge.wait { background: var(--wait-soft); color: var(--wait); }
.badge.bad { background: var(--bad-soft); color: var(--bad); }
.alert { background: var(--bad-soft); color: var(--bad); padding: 10px 12px; border-radius: 6px; }
fieldset { border: 1px solid var(--line); border-radius: 6px; padding: 0; margin: 0 0 16px; max-height: 46vh;
  overflow-y: auto; }
legend { font-size: 13px; color: var(--ink-3); margin-left: 10px; padding: 0 4px; }
.card { display: grid; grid-template-columns: 20px 1fr; gap: 0 10px; padding: 8px 14px; cursor: pointer;
  border-bottom: 1px solid var(--line); }
.card:last-child { border-bottom: 0; }
.card:hover, .card:has(:checked) { background: var(--idle-soft); }
.card input { grid-row: span 2; accent-color: var(--accent); }
.choice { display: flex; gap: 12px; flex-wrap: wrap; align-items: center; margin-bottom: 16px; }
button { font: inherit; font-weight: 550; min-height: 44px; padding: 8px 18px; border-radius: 6px; cursor: pointer;
  border: 1px solid var(--line); background: var(--surface); color: var(--ink); }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
"""
TONES = {
    "succeeded": "good",
    "requires_capture": "wait",
    "requires_action": "wait",
    "pending": "wait",
    "requires_payment_method": "bad",
    "failed": "bad",
}


def page(title: str, content: str, *, wide: bool = False) -> str:
    """A whole document; `content` is trusted HTML."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        '<div class="strip">Simulator: this is not Stripe, and no real card is ever charged.</div>'
        f"<main{' class=wide' if wide else ''}>{content}</main></body></html>"
    )


def table(heads: tuple[str, ...], rows: str, empty: str) -> str:
    """A table of ready rows, or a sentence when there is none."""
    if not rows:
        return f"<p>{escape(empty)}</p>"
    cells = "".join(f'<th scope="col"{_numeric(head)}>{escape(head)}</th>' for head in heads)
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{rows}</tbody></table></div>'


def _numeric(head: str) -> str:
    return ' class="num"' if head in ("Amount", "Captured") else ""


def badge(status: str) -> str:
    """A status in words and color."""
    return f'<span class="badge {TONES.get(status, "idle")}">{escape(status.replace("_", " "))}</span>'


def moment(seconds: int) -> str:
    """Unix seconds as a UTC time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
