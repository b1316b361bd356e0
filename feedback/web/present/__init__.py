"""What pages say: codes and instants turned into words, rows and cells of the reader's language. No queries of its own."""
