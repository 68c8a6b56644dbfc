"""What somebody did by hand, as changes of the documents: the other way to end a drift."""
