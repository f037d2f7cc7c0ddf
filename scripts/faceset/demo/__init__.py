"""The demo's footage, composed at set-up."""
