"""Who is responsible: the duty catalogue and the decision with its reason. It knows texts and codes, no ticket."""
