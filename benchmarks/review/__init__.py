"""How fast the review is: the store, the worklist, the batch, a reader at the keyboard."""
