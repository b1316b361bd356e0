"""How a ticket finds its owner: dispatch, assign, transfer, decline."""
