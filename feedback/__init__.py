"""Zhida: grassroots feedback and rapid response. Nothing lives here but the rooms; docs/architecture.md names them."""
