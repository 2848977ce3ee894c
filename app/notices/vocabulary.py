"""The words of messages. Closed lists, shared by tables, schemas and pages."""

CHANNELS = ("email", "sms", "post", "webhook")
LANGUAGES = ("en", "es")
