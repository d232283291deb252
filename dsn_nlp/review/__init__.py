"""People in the loop: passages out for review, reviewed labels in, agreement and label errors."""
