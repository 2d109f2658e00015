"""Being written."""

from .guard import May, page

@page("/referential", may=May.READ)
def referential(): return "being written"

@page("/referential/<code>", may=May.READ)
def competence(code): return "being written"

@page("/statements/<uuid:identifier>", may=May.READ)
def statement(identifier): return "being written"
