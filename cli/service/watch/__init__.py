"""Who watches the server: its load and admission, its counters, its health, its access log."""
