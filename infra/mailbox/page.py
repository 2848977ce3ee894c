"""The pages of the inbox, without any file beside them."""

from __future__ import annotations

from html import escape
from urllib.parse import quote

from infra.mailbox.store import Message, TextMessage

STYLE = """
:root { --paper:#f7f6f2; --surface:#fff; --line:#e4e0d8; --ink:#1e1d1a; --ink-2:#55514a; --accent:#2b4a9b;
  --selected:#eef2fb; color-scheme:light dark }
@media (prefers-color-scheme:dark) { :root { --paper:#151412; --surface:#1d1c19; --line:#33302a; --ink:#ece9e2;
  --ink-2:#b9b4a9; --accent:#9db4f2; --selected:#232939 } }
* { box-sizing:border-box }
body { margin:0; display:grid; grid-template-rows:auto minmax(0,1fr); height:100vh;
  background:var(--paper); color:var(--ink);
  font:15px/1.45 Figtree,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif }
header { padding:16px 24px; border-bottom:1px solid var(--line); background:var(--surface) }
h1 { font-size:20px; margin:0 }
h2 { font-size:20px; margin:0 0 8px }
p { margin:4px 0; color:var(--ink-2) }
a { color:var(--accent) }
a:focus-visible, input:focus-visible, textarea:focus-visible, button:focus-visible
  { outline:2px solid var(--accent); outline-offset:2px }
main { display:grid; grid-template-columns:minmax(260px,380px) 1fr }
nav { border-right:1px solid var(--line); background:var(--surface); overflow:auto }
nav form { display:flex; gap:8px; padding:12px 16px; border-bottom:1px solid var(--line) }
textarea { color:inherit; background:var(--surface); border:1px solid var(--line); border-radius:6px; padding:6px 10px }
input { flex:1; min-width:0; font:inherit; color:inherit; background:var(--paper); padding:6px 10px;
  border:1px solid var(--line); border-radius:6px }
button { font:inherit; color:inherit; background:var(--surface); border:1px solid var(--line); border-radius:6px;
  padding:6px 12px; cursor:pointer }
ol { list-style:none; margin:0; padding:0 }
li a { display:block; padding:10px 16px; border-bottom:1px solid var(--line); color:inherit; text-decoration:none }
li a:hover, li a[aria-current] { background:var(--selected) }
li strong, li span { display:block; overflow:hidden; text-overflow:ellipsis; white-space:nowrap }
li span { color:var(--ink-2); font-size:13px }
article { padding:24px; min-width:0; overflow:auto; display:flex; flex-direction:column }
iframe { flex:1; width:100%; min-height:420px; margin-top:16px; border:1px solid var(--line); border-radius:10px;
  background:#fff }
pre { white-space:pre-wrap; overflow-wrap:anywhere; font:14px/1.5 ui-monospace,Menlo,Consolas,monospace;
  background:var(--surface); border:1px solid var(--line); border-radius:10px; padding:16px; margin:16px 0 0 }
@media (max-width:720px) { body { display:block } main { grid-template-columns:1fr }
  nav { border-right:0; max-height:44vh } article { padding:16px } }
"""
# Opened by a click only, outside the frame; no script, no form inside it.
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"


def render(messages: list[Message], shown: Message | None, to: str) -> str:
    """The list, newest first, and one message beside it."""
    filter_query = f"&to={quote(to)}" if to else ""
    items = "".join(_item(message, shown, filter_query) for message in reversed(messages))
    listing = (
        f"<ol>{items}</ol>"
        if items
        else '<p style="padding:16px">No mail yet. It appears here as it is sent.</p>'
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Demo inbox</title><style>{STYLE}</style></head><body>
<header><h1>Demo inbox</h1><p>Mail sent by this installation ends here and is delivered to nobody.
<a href="/texts">Text messages</a></p></header>
<main><nav aria-label="Messages"><form method="get" role="search">
<input type="search" name="to" value="{escape(to)}" placeholder="name@example.com" aria-label="Mail to this address">
<button>Filter</button></form>{listing}</nav>
{_article(shown)}</main></body></html>"""


def frame(message: Message) -> str:
    """The mail's own HTML, its links opening outside the frame."""
    return f'<base target="_blank">{message.html}'


def _item(message: Message, shown: Message | None, filter_query: str) -> str:
    current = ' aria-current="true"' if shown and shown.id == message.id else ""
    return (
        f'<li><a href="/?message={message.id}{filter_query}"{current}>'
        f"<strong>{escape(message.subject or '(no subject)')}</strong>"
        f"<span>{escape(message.to)}</span><span>{_time(message)}</span></a></li>"
    )


def _article(shown: Message | None) -> str:
    if shown is None:
        return "<article><p>Choose a message.</p></article>"
    head = (
        f"<h2>{escape(shown.subject or '(no subject)')}</h2>"
        f"<p>To {escape(shown.to)} from {escape(shown.sender)}, {_time(shown)}</p>"
    )
    text = f"<pre>{escape(shown.text)}</pre>"
    if not shown.html:
        return f"<article>{head}{text}{_reply(shown)}</article>"
    framed = f'<iframe title="The mail" sandbox="{SANDBOX}" src="/message/{shown.id}"></iframe>'
    plain = (
        f'<details style="margin-top:16px"><summary>As plain text</summary>{text}</details>'
        if shown.text
        else ""
    )
    return f"<article>{head}{framed}{plain}{_reply(shown)}</article>"


def _reply(shown: Message) -> str:
    return (
        f'<form method="post" action="/reply/{shown.id}" style="display:flex;gap:8px;margin-top:16px;'
        'align-items:flex-start"><textarea name="text" rows="2" required style="flex:1;min-width:0;font:inherit" '
        f'aria-label="Reply as {escape(shown.to)}" placeholder="Reply as the buyer, such as: Please cancel my order.">'
        "</textarea><button>Reply</button></form>"
    )


def texts(found: list[TextMessage]) -> str:
    """The text messages, newest first."""
    rows = "".join(
        f'<li style="padding:12px 24px;border-bottom:1px solid var(--line)"><strong>{escape(text.to)}</strong>'
        '<p style="white-space:pre-wrap;overflow-wrap:anywhere;color:var(--ink);max-width:60ch">'
        f"{escape(text.text)}</p>"
        f"<span>{text.sent_at[:10]} {text.sent_at[11:19]} UTC</span></li>"
        for text in reversed(found)
    )
    listing = f"<ol>{rows}</ol>" if rows else '<p style="padding:16px 24px">No text message yet.</p>'
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Demo text messages</title><style>{STYLE} main {{ display:block }}</style></head><body>
<header><h1>Demo text messages</h1><p>Texts sent by this installation end here. <a href="/">Mail</a></p></header>
<main>{listing}</main></body></html>"""


def _time(message: Message) -> str:
    return f'<time datetime="{message.sent_at}">{message.sent_at[:10]} {message.sent_at[11:19]} UTC</time>'
