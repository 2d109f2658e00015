"""What pupils do: situations, the competences they mobilise, the links that open them."""
