"""How a ticket comes in: by page, by API, by import, on behalf of somebody."""
