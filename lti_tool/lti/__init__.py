"""The door, both ways: all that changes if the protocol changes. No competence in here.

Inwards: `login` → `launch` → a frozen `Launch`. Outwards: `ags`, `nrps`, `deep_linking`, through `http` and `tokens`.
This is the one package that imports pylti1p3.
"""
