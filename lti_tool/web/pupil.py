"""Being written."""

from .guard import May, page

@page("/pupils/<int:person_id>", may=May.ASSESS)
def pupil_sheet(person_id): return "being written"

@page("/me", may=May.LEARN)
def my_spiral(): return "being written"

@page("/me/activities", may=May.LEARN)
def to_do(): return "being written"
