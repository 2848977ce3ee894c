"""The demo's inbox: takes every mail over SMTP, delivers none, and shows them on a page."""
