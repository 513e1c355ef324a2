"""What goes wrong in the field, done to real programs: nothing thanked is lost, nothing is there twice."""
