"""The server and its client: HTTP, WebSocket, jobs, and the band over the network. Needs the extra `api`."""
