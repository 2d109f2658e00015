"""Being written."""

from .guard import May, page

@page("/activities", may=May.ASSESS)
def activities(): return "being written"

@page("/activities/new", may=May.TEACH, methods=("GET","POST"))
def new_activity(): return "being written"

@page("/activities/<int:activity_id>", may=May.READ)
def activity(activity_id): return "being written"

@page("/link", may=May.TEACH, methods=("GET","POST"))
def choose_link(): return "being written"
