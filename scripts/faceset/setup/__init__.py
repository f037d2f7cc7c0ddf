"""Set-up: what is fetched, converted and composed once, before any run. The only code that uses the network."""
